// The views: each returns its title and its nodes.

import { act, forget, me, read, remember, send } from "./api.js";
import { ago, button, confirmed, h, link } from "./dom.js";
import { draftOf, form } from "./forms.js";

const USERNAME_HINT = "5 to 20 characters: English letters, digits, ! @ # $ % ^ & * - _";
const PASSWORD_HINT =
  "8 to 40 characters: a lower-case and an upper-case letter, a digit and one of ! @ # $ % ^ & * - _";

export async function latest(page) {
  const { articles, next } = await read(`articles?page=${page}`);
  return { title: "Latest articles", nodes: list(articles, next, "/", Number(page)) };
}

export async function author(id, page) {
  const [user, { articles, next }] = await Promise.all([
    read(`users/${id}`),
    read(`users/${id}/articles?page=${page}`),
  ]);
  const since = h("p", { class: "meta" }, "Registered ", ago(user.date_registered));
  return { title: user.username, nodes: [since, ...list(articles, next, `/users/${id}/`, Number(page))] };
}

export async function article(id) {
  const found = await read(`articles/${id}`);
  const isMine = found.user_id === me()?.id;
  return {
    title: titleOf(found),
    nodes: [byline(found), h("div", { class: "text" }, found.text), isMine && ownerButtons(found)].filter(Boolean),
  };
}

export function write() {
  if (!me()) return logIn("Log in to write.");
  return {
    title: "Write",
    nodes: [articleForm("new", "Publish", {}, (words) => act("POST", "articles/new", words))],
  };
}

export async function edit(id) {
  if (!me()) return logIn("Log in to edit.");
  const found = await read(`articles/${id}`);
  return {
    title: "Edit",
    nodes: [articleForm(id, "Save", found, (words) => act("PUT", `articles/${id}/edit`, words))],
  };
}

export function register() {
  return {
    title: "Register",
    nodes: [
      form({
        action: "Register",
        fields: [
          { name: "username", label: "Name", hint: USERNAME_HINT, autocomplete: "username", "data-first": true },
          { name: "password", label: "Password", hint: PASSWORD_HINT, type: "password", autocomplete: "new-password" },
        ],
        async submit(words) {
          await send("register", words);
          remember(await send("login", words));
          go("/");
        },
      }),
      h("p", {}, "Registered already? ", link("/login", "Log in")),
    ],
  };
}

export function logIn(reason) {
  return {
    title: "Log in",
    nodes: [
      reason && h("p", { class: "note" }, reason),
      form({
        action: "Log in",
        fields: [
          { name: "username", label: "Name", autocomplete: "username", "data-first": true },
          { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
        ],
        async submit(words) {
          remember(await send("login", words));
          go(location.hash === "#/login" ? "/" : location.hash.slice(1));
        },
      }),
      h("p", {}, "New here? ", link("/register", "Register")),
    ].filter(Boolean),
  };
}

export async function account() {
  if (!me()) return logIn("Log in to see your account.");
  const { sessions } = await act("GET", "sessions");
  return {
    title: me().username,
    nodes: [
      h("p", { class: "buttons" },
        link(`/users/${me().id}`, "Your articles"),
        button("Log out", async () => {
          await act("POST", "logout").catch(() => {}); // Whatever it says, this browser forgets.
          forget();
          go("/");
        })),
      h("h2", {}, "Where you are logged in"),
      h("ul", { class: "rows" }, ...sessions.map(sessionRow)),
      sessions.length > 1 && button("Log out everywhere else", () => attempt(act("DELETE", "sessions"))),
      h("h2", {}, "Change the password"),
      h("p", { class: "note" }, "It logs you out everywhere else."),
      passwordForm(),
    ].filter(Boolean),
  };
}

export function nothingHere(sentence = "There is nothing at this address") {
  return { title: "Nothing here", nodes: [h("p", {}, `${sentence}. `, link("/", "See the latest articles"))] };
}

function list(articles, next, path, page) {
  if (!articles.length && page === 1) {
    return [h("p", { class: "note" }, "Nothing has been written here yet. ",
      me() ? link("/new", "Write the first article") : link("/register", "Register and write the first article"))];
  }
  const to = (number) => (number === 1 && path === "/" ? "/" : `${path}page/${number}`);
  return [
    h("ol", { class: "articles" }, ...articles.map((each) =>
      h("li", {}, h("h2", {}, link(`/articles/${each.id}`, titleOf(each))), byline(each)))),
    articles.length ? null : h("p", { class: "note" }, "There are no articles on this page."),
    h("nav", { "aria-label": "Pages", class: "pages" },
      page > 1 && link(to(page - 1), "← Newer"), next && link(to(page + 1), "Older →")),
  ].filter(Boolean);
}

function titleOf({ title }) {
  return title.trim() || "(no title)";
}

function byline({ user_id, date_posted, "author.username": name }) {
  return h("p", { class: "meta" }, link(`/users/${user_id}`, name), " · ", ago(date_posted));
}

function ownerButtons({ id }) {
  return h("p", { class: "buttons" }, link(`/articles/${id}/edit`, "Edit"), button("Delete …", async () => {
    if (await confirmed("Delete this article? It cannot be brought back.", "Delete it")) {
      attempt(act("DELETE", `articles/${id}/delete`), "/");
    }
  }));
}

function articleForm(name, action, { title, text }, send) {
  return form({
    action,
    draft: draftOf(name),
    fields: [
      { name: "title", label: "Title", value: title, autocomplete: "off", "data-first": true },
      { name: "text", label: "Text", value: text, rows: 14 },
    ],
    submit: async (words) => go(`/articles/${(await send(words)).id}`),
    onSessionOver: refresh, // The draft is there when they have logged in.
  });
}

function passwordForm() {
  return form({
    action: "Change it",
    fields: [
      { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
      { name: "new-password", label: "New password", hint: PASSWORD_HINT, type: "password", autocomplete: "new-password" },
    ],
    async submit(words) {
      remember(await act("POST", "change-password", words));
      refresh();
    },
    onSessionOver: refresh,
    username: me().username,
  });
}

function sessionRow({ id, created, last_used, current }) {
  return h("li", {},
    h("span", {}, current ? h("strong", {}, "This browser") : "Another one", ", since ", ago(created), ", used ", ago(last_used)),
    current ? null : button("Log out", () => attempt(act("DELETE", `sessions/${id}`))));
}

/** Wait for something that a button began; then go to a view, or show this one again. */
async function attempt(work, path) {
  try {
    await work;
  } catch (error) {
    const problem = h("p", { class: "problem", role: "alert" }, `${error.message || "Your session has ended"}.`);
    document.getElementById("main").append(problem);
    return;
  }
  if (path) go(path);
  else refresh();
}

function go(path) {
  if (location.hash === `#${path}`) refresh();
  else location.hash = path;
}

function refresh() {
  dispatchEvent(new Event("forum:refresh"));
}
