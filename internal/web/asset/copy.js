"use strict";
// Puts a button beside what one copies. Without script the text is selected by
// hand, as ever; so it is where the browser does not let pages copy.
const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

// makeButton makes a button that copies what text gives, and says so; otherwise is what
// to do where the browser does not let it.
function makeButton(shown, label, text, otherwise) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = shown;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(await text());
    } catch {
      done = otherwise();
    }
    button.textContent = said.textContent = done;
    setTimeout(() => { button.textContent = shown; said.textContent = ""; }, 2000);
  });
  return button;
}

for (const link of document.querySelectorAll("a[data-copy-page]")) {
  const button = makeButton("Copy page", "Copy page as Markdown", async () => (await fetch(link.href)).text(), () => "Not copied");
  link.before(button, " ");
}

for (const code of document.querySelectorAll("code[data-copy]")) {
  const button = makeButton("Copy", "Copy " + code.dataset.copy, () => code.textContent.trimEnd(), () => {
    getSelection().selectAllChildren(code);
    return "Selected";
  });
  const block = code.closest("pre");
  if (!block) {
    code.after(" ", button);
    continue;
  }
  const around = document.createElement("div");
  around.className = "copyable";
  block.before(around);
  around.append(block, button);
}
