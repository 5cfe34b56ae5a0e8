package docsite

import (
	"html/template"
	"regexp"
	"strings"
)

// syntaxes are what is distinguished in each language: comments, strings, words, in
// this order. A language that is not here is shown as it is.
var syntaxes = map[string]*regexp.Regexp{
	"go": regexp.MustCompile("(//[^\n]*)|(\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`)|" +
		`(\b(?:case|const|default|defer|else|for|func|go|if|import|map|nil|package|range|return|select|string|struct|switch|type|var)\b)`),
	"python": regexp.MustCompile(`(#[^\n]*)|((?s:""".*?""")|f?"(?:[^"\\\n]|\\.)*"|f?'(?:[^'\\\n]|\\.)*')|` +
		`(\b(?:and|as|def|del|else|for|from|global|if|import|in|is|lambda|None|not|or|return|True|False|while|with|yield)\b)`),
	"js": regexp.MustCompile("(//[^\n]*)|('(?:[^'\\\\\n]|\\\\.)*'|\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`)|" +
		`(\b(?:async|await|case|catch|const|else|export|for|from|function|if|import|let|new|null|of|return|throw|try|undefined)\b)`),
	"java": regexp.MustCompile(`((?s:/\*.*?\*/)|//[^\n]*)|("(?:[^"\\\n]|\\.)*")|` +
		`(\b(?:catch|class|else|extends|final|for|if|import|new|null|private|protected|public|return|static|throw|throws|try|var|void)\b)`),
	"yaml": regexp.MustCompile(`((?m:^#[^\n]*|\s#\s[^\n]*))|("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(\b(?:true|false)\b)`),
	"sh":   regexp.MustCompile(`((?m:^#[^\n]*|\s#\s[^\n]*))|("(?:[^"\\]|\\.)*"|'[^']*')|(\b(?:export)\b)`),
	"json": regexp.MustCompile(`(//[^\n]*)|("(?:[^"\\\n]|\\.)*")|(\b(?:true|false|null)\b)`),
}

// syntaxClasses are the classes of the stylesheet for the groups above.
var syntaxClasses = []string{"comment", "string", "keyword"}

// highlight gives code as HTML, with its comments, strings and words marked.
func highlight(language, code string) string {
	syntax, ok := syntaxes[language]
	if !ok {
		return template.HTMLEscapeString(code)
	}
	var marked strings.Builder
	end := 0
	for _, at := range syntax.FindAllStringSubmatchIndex(code, -1) {
		for group, class := range syntaxClasses {
			from, to := at[2*group+2], at[2*group+3]
			if from < 0 {
				continue
			}
			marked.WriteString(template.HTMLEscapeString(code[end:from]))
			marked.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(code[from:to]) + "</span>")
			end = to
		}
	}
	marked.WriteString(template.HTMLEscapeString(code[end:]))
	return marked.String()
}
