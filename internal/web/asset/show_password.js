"use strict";
// Puts a button beside each password field that is marked by data-show, which shows what
// was typed and hides it again. Without script the field is as ever. What is sent is
// hidden first, so that no browser keeps it as plain text.
for (const field of document.querySelectorAll("input[type=password][data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  button.setAttribute("aria-controls", field.id);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? field.dataset.hide : field.dataset.show;
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  const around = document.createElement("div");
  around.className = "shows";
  field.before(around);
  around.append(field, button);
  show(false);
}
