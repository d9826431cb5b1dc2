// The page: which view an address shows, and what stands around it.

import { Refusal, SessionOver, me } from "./api.js";
import { button, h, link } from "./dom.js";
import * as views from "./views.js";

const ROUTES = [
  [/^\/$/, () => views.latest("1")],
  [/^\/page\/(\d+)$/, views.latest],
  [/^\/articles\/(\d+)$/, views.article],
  [/^\/articles\/(\d+)\/edit$/, views.edit],
  [/^\/users\/(\d+)$/, (id) => views.author(id, "1")],
  [/^\/users\/(\d+)\/page\/(\d+)$/, views.author],
  [/^\/new$/, views.write],
  [/^\/register$/, views.register],
  [/^\/login$/, views.logIn],
  [/^\/account$/, views.account],
];

const main = document.getElementById("main");
const menu = document.getElementById("menu");
let turn = 0;

async function show() {
  const mine = ++turn;
  main.setAttribute("aria-busy", "true");
  const { title, nodes } = await viewOf(location.hash.slice(1) || "/");
  if (mine !== turn) return; // Another view was asked for meanwhile.
  menu.replaceChildren(...menuItems());
  main.replaceChildren(h("h1", { tabindex: -1 }, title), ...nodes);
  main.removeAttribute("aria-busy");
  document.title = `${title} · Forum`;
  scrollTo(0, 0);
  if (turn > 1) (main.querySelector("[data-first]") ?? main.querySelector("h1")).focus();
}

async function viewOf(path) {
  const found = ROUTES.map(([pattern, view]) => [path.match(pattern), view]).find(([match]) => match);
  if (!found) return views.nothingHere();
  const [[, ...parameters], view] = found;
  try {
    return await view(...parameters);
  } catch (error) {
    if (error instanceof SessionOver) return views.logIn("Your session has ended. Log in to go on.");
    if (error instanceof Refusal && error.status === 404) return views.nothingHere(error.message);
    return { title: "That did not work", nodes: [h("p", {}, `${error.message}.`), button("Try again", show, "primary")] };
  }
}

function menuItems() {
  const user = me();
  const items = user
    ? [["/new", "Write"], ["/account", user.username]]
    : [["/login", "Log in"], ["/register", "Register"]];
  return items.map(([path, text]) => {
    const item = link(path, text);
    if (location.hash === `#${path}`) item.setAttribute("aria-current", "page");
    return item;
  });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // Its address would be taken for a view's.
  main.focus();
});
addEventListener("hashchange", show);
addEventListener("forum:refresh", show);
show();
