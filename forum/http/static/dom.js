// Elements. Text is only ever added as text, so nobody's words become markup.

/** An element: attributes as in HTML, listeners as functions (`onclick`), children nodes or text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function link(path, ...children) {
  return h("a", { href: `#${path}` }, ...children);
}

export function button(text, onclick, kind = "plain") {
  return h("button", { type: "button", class: kind, onclick }, text);
}

const UNITS = [
  ["year", 31557600],
  ["month", 2629800],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** A time of the API, which is UTC, as "3 hours ago", with the exact one as its title. */
export function ago(time) {
  const moment = new Date(`${time}Z`);
  const seconds = (moment - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? [];
  const words = unit ? RELATIVE.format(Math.trunc(seconds / length), unit) : "just now";
  const title = moment.toLocaleString("en", { dateStyle: "full", timeStyle: "long" });
  return h("time", { datetime: `${time}Z`, title }, words);
}

/** Ask before something that cannot be taken back; whether the answer was yes. */
export function confirmed(question, yes) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question", onclose: () => (dialog.remove(), resolve(dialog.returnValue === "yes")) },
      h("p", { id: "question" }, question),
      h("p", { class: "buttons" },
        button(yes, () => dialog.close("yes"), "danger"),
        button("Keep it", () => dialog.close("no"))),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
