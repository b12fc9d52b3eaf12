// Takes a link's token out of the address at once and posts it; what came of it is said by the page's own sentences.
const SAYS = { 400: "cookie", 404: "dead", 413: "dead", 422: "dead", 429: "many" };
const sentences = document.querySelectorAll("[data-says]");
let token = "";

function say(what) {
  for (const one of sentences) one.hidden = one.dataset.says !== what;
}

async function answer() {
  try {
    const response = await fetch("enter", {
      method: "POST", // its mode stays the default: with "same-origin" and no referrer, browsers send no origin
      credentials: "same-origin",
      cache: "no-store",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    return response.status === 204 ? "open" : (SAYS[response.status] ?? "down");
  } catch {
    return "down";
  }
}

async function enter() {
  say("opening");
  const what = await answer();
  if (what === "open") location.replace("./");
  else say(what);
}

function take() {
  const said = location.hash.slice(1);
  const signing = location.search === "?sign-in";
  history.replaceState(null, "", location.pathname);
  if (said) {
    token = (said.match(/^[\w-]+/)?.[0] ?? said).slice(0, 200); // chats add a full stop to what they think is the link
    enter();
  } else if (!token) {
    say(signing ? "signing" : "none");
  }
}

for (const button of document.querySelectorAll("button")) button.addEventListener("click", enter);
addEventListener("hashchange", take); // another link pasted over this page
take();
