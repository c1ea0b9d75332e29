// The only script of the pages: browsers have no form for passkeys. Buttons that need it are hidden without it.
// Options and credentials go to the API as JSON; where to go on to was checked by the server when the page was made.

/** Sent inside the pages that have such a button; its digest is in their policy. */
export const passkeyScript = `
"use strict";
(() => {
  const api = globalThis.PublicKeyCredential;
  if (!api || !api.parseRequestOptionsFromJSON || !navigator.credentials) return;
  const ask = async (path, body) => {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
    const answer = response.status === 204 ? {} : await response.json();
    if (response.ok) return answer;
    if (answer.code === "FRESH_SIGN_IN_REQUIRED") {
      location.href = "/auth/confirm?next=" + encodeURIComponent(location.pathname);
    }
    throw new Error(answer.title || "This did not work.");
  };
  const goOn = (button, answer) => {
    if (answer.secondFactor) {
      const query = new URLSearchParams({ ticket: answer.secondFactor.ticket, next: button.dataset.next });
      location.href = "/auth/second-factor?" + query;
    } else location.href = button.dataset.next;
  };
  const get = async ({ options }) => {
    const publicKey = api.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  };
  const uses = {
    "sign-in": async (button) => {
      const credential = await get(await ask("/auth/passkeys/sign-in/options", {}));
      goOn(button, await ask("/auth/passkeys/sign-in", { credential }));
    },
    add: async () => {
      const { options } = await ask("/auth/passkeys/options", {});
      const publicKey = api.parseCreationOptionsFromJSON(options);
      const credential = (await navigator.credentials.create({ publicKey })).toJSON();
      const name = document.querySelector("[data-passkey-name]").value.trim();
      await ask("/auth/passkeys", { credential, name });
      location.reload();
    },
  };
  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const place = document.querySelector("[data-passkey-problem]");
      place.hidden = true;
      button.disabled = true;
      try {
        await uses[button.dataset.passkey](button);
      } catch (error) {
        place.textContent =
          error.name === "NotAllowedError" ? "No passkey was used. Try again, or choose another way." : error.message;
        place.hidden = false;
      }
      button.disabled = false;
    });
  }
  for (const part of document.querySelectorAll("[data-needs-passkeys]")) part.hidden = false;
})();
`;
