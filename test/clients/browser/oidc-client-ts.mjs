// oidc-client-ts, by its README.
const { UserManager } = oidc;
// LINES

const show = (text) => (document.querySelector("#said").textContent = text);
const tokens = (user) => ({ access_token: user?.access_token, refresh_token: user?.refresh_token });

// What the test asks the page for; each throws what the library throws.
window.app = {
  async me() {
    const user = await loop.getUser();
    return { sub: user.profile.sub, ...tokens(user) };
  },
  async refresh() {
    return tokens(await loop.signinSilent());
  },
  async together() {
    const both = await Promise.allSettled([loop.signinSilent(), loop.signinSilent()]);
    const errors = both.filter((one) => one.status === "rejected").map((one) => String(one.reason));
    return { ...tokens(await loop.getUser()), errors };
  },
  async disconnect() {
    await loop.revokeTokens(["refresh_token"]);
    return {};
  },
};

document.querySelector("#loop").onclick = () => loop.signinRedirect().catch((fault) => show(String(fault)));
if (new URLSearchParams(location.search).has("state")) {
  loop.signinCallback().then(() => show("signed in"), (fault) => show(String(fault)));
}
