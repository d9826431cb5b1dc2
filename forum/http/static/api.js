// Calls of the API. Paths are relative, so that the service may stand behind a prefix.

const KEY = "forum.login";

/** What the API refused: its own sentence, and after how many seconds to try again, if it says. */
export class Refusal extends Error {
  constructor(status, sentence, retryAfter) {
    super(retryAfter ? `${sentence}. Try again in ${retryAfter} s` : sentence);
    this.status = status;
  }
}

/** There was no answer, or none of the API's. */
export class Unreachable extends Error {
  constructor() {
    super("The forum cannot be reached");
  }
}

/** The token that was kept is good no more; it is forgotten. */
export class SessionOver extends Error {}

/** Who is logged in, {id, username, token}, or null. */
export function me() {
  return JSON.parse(localStorage.getItem(KEY));
}

export function remember(login) {
  const user = { id: login.user_id, username: login.username, token: login["access-token"] };
  localStorage.setItem(KEY, JSON.stringify(user));
}

export function forget() {
  localStorage.removeItem(KEY);
}

/** Read what everybody may read. */
export function read(path) {
  return call("GET", path, {});
}

/** Send a body to where nobody need be known. */
export function send(path, body) {
  return call("POST", path, {}, body);
}

/** Do something as the user who is logged in. The token goes in a header, never in an address. */
export async function act(method, path, body) {
  try {
    return await call(method, path, { Authorization: `Bearer ${me()?.token ?? ""}` }, body);
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401 && /access-token/i.test(error.message))) {
      throw error;
    }
    forget();
    throw new SessionOver();
  }
}

async function call(method, path, headers, body) {
  if (body) headers["Content-Type"] = "application/json";
  let response, answer;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    answer = await response.json();
  } catch {
    throw new Unreachable();
  }
  if (response.ok) return answer;
  throw new Refusal(response.status, answer.error, response.headers.get("Retry-After"));
}
