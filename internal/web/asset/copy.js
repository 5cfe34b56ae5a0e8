"use strict";
// Puts a button beside what one copies. Without script the text is selected by
// hand, as ever; so it is where the browser does not let pages copy.
const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

for (const code of document.querySelectorAll("code[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + code.dataset.copy);
  button.addEventListener("click", async () => {
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(code.textContent.trimEnd());
    } catch {
      getSelection().selectAllChildren(code);
      done = "Selected";
    }
    button.textContent = said.textContent = done;
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
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
