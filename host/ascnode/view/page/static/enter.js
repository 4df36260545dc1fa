// Past the server's door: its scene, with a token where it asks for one.

import { Unauthorised, get, login } from "./api.js";
import { put } from "./nodes.js";

const $ = (id) => document.getElementById(id);

// Asks for the token until the server takes one.
function askToken() {
  const words = $("login-words");
  $("login").showModal();
  return new Promise((done) => {
    $("login-form").addEventListener("submit", async (event) => {
      event.preventDefault();
      await login($("token").value).then(() => { $("login").close(); done(); }, (e) => put(words, e.message));
    });
  });
}

// The printed address carries the token behind #, which no browser sends to a server.
export async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname);
    await login(token).catch(() => {});
  }
  try {
    return await get("scene");
  } catch (error) {
    if (!(error instanceof Unauthorised)) throw error;
    await askToken();
    return get("scene");
  }
}
