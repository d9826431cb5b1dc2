// Forms that show what the API says about a field at that field.

import { Refusal, SessionOver, Unreachable } from "./api.js";
import { button, h } from "./dom.js";

/** A form of `fields`, {name, label, hint, value, ...attributes}; `submit` gets the values by name. */
export function form({ fields, action, submit, onSessionOver, draft, username }) {
  const kept = draft?.load();
  const rows = fields.map((field) => row({ ...field, value: kept?.[field.name] ?? field.value }));
  const problem = h("p", { class: "problem", role: "alert" });
  const go = h("button", { type: "submit", class: "primary" }, action);
  const values = () => Object.fromEntries(rows.map((each) => [each.name, each.input.value]));

  async function onsubmit(event) {
    event.preventDefault();
    rows.forEach((each) => each.say(""));
    problem.textContent = "";
    go.disabled = true;
    try {
      await submit(values());
      draft?.drop();
    } catch (error) {
      if (error instanceof SessionOver) onSessionOver();
      else explain(error);
    } finally {
      go.disabled = false;
    }
  }

  function explain(error) {
    if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
    const concerned = rows.filter((each) => each.isNamedIn(error.message));
    if (concerned.length === 1) concerned[0].say(error.message);
    else problem.textContent = `${error.message}.`;
  }

  function discard(event) {
    draft.drop();
    rows.forEach((each, index) => (each.input.value = fields[index].value ?? ""));
    event.target.parentElement.remove();
    rows[0].input.focus();
  }

  return h(
    "form",
    { onsubmit, oninput: () => draft?.keep(values()), novalidate: true },
    kept && h("p", { class: "note" }, "This is what you had begun to write. ",
      button("Discard it", discard, "inline")),
    username && h("input", { value: username, autocomplete: "username", hidden: true }), // for password managers
    ...rows.map((each) => each.element),
    problem,
    h("p", { class: "buttons" }, go),
  );
}

/** What is being written, kept in this tab until it is sent. */
export function draftOf(name) {
  const key = `forum.draft.${name}`;
  return {
    load: () => JSON.parse(sessionStorage.getItem(key)),
    keep: (values) => sessionStorage.setItem(key, JSON.stringify(values)),
    drop: () => sessionStorage.removeItem(key),
  };
}

function row({ name, label, hint, value, ...attributes }) {
  const [id, hintId, problemId] = [name, `${name}-hint`, `${name}-problem`];
  const input = h(attributes.rows ? "textarea" : "input", {
    id, name, required: true, "aria-describedby": `${hintId} ${problemId}`, ...attributes,
  });
  input.value = value ?? "";
  const problem = h("p", { id: problemId, class: "problem", role: "alert" });
  return {
    name,
    input,
    element: h("div", { class: "field" },
      h("label", { for: id }, label), input, hint && h("p", { id: hintId, class: "hint" }, hint), problem),
    // Whether the sentence speaks of this field, and of no longer name in which it is a part.
    isNamedIn: (sentence) => {
      const words = sentence.toLowerCase().replace("new password", "new-password");
      return words.split(/[\s/]+/).includes(name);
    },
    say(sentence) {
      problem.textContent = sentence && `${sentence}.`;
      input.removeAttribute("aria-invalid");
      if (sentence) {
        input.setAttribute("aria-invalid", "true");
        input.focus();
      }
    },
  };
}
