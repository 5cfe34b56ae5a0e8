"use strict";
// Asks the browser for a passkey (data-passkey="get") or to make one ("create"), by the
// options that the form carries, and sends the answer with the form. Where the browser
// has no passkeys, the form stays hidden.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function optionsOf(form) {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const known of options.excludeCredentials ?? []) known.id = bytes(known.id);
  return options;
}

function answerOf(credential) {
  const response = { clientDataJSON: text(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(), response,
  });
}

let waiting; // the request that the browser has not answered yet; it takes one at a time

async function ask(form, more) {
  waiting?.abort();
  waiting = new AbortController();
  const asked = { publicKey: optionsOf(form), signal: waiting.signal, ...more };
  const credential = await (form.dataset.passkey === "get" ? navigator.credentials.get(asked) : navigator.credentials.create(asked));
  form.elements.namedItem("passkey").value = answerOf(credential);
  form.submit();
}

// list lets the browser offer passkeys in the field for the address, where it can.
async function list(form) {
  if (form.dataset.passkey !== "get" || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  await ask(form, { mediation: "conditional" });
}

// press asks because the member pressed the button. A press that another one took the
// place of says nothing; after one that led nowhere, the list is there again.
async function press(form) {
  const status = form.querySelector("[role=status]");
  status.textContent = "";
  try {
    await ask(form);
  } catch (error) {
    if (error.name === "AbortError") return;
    status.textContent = form.dataset.failed;
    await list(form);
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press(form).catch(() => {});
  });
  list(form).catch(() => {}); // without it there is the button
}
