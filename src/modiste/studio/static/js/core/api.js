// The server, asked: JSON in, JSON or a picture out, and every refusal as one kind of error.

/** What the server, or its absence, answered instead of a result. */
export class Refusal extends Error {
  /** @param {number} status 0 when the server cannot be reached @param {{code?: string, detail?: string, remedy?: string}} problem */
  constructor(status, problem) {
    super([problem.detail, problem.remedy].filter(Boolean).join(" "));
    this.status = status;
    this.code = problem.code ?? "unknown";
  }

  get gone() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

// The version of the shop that this page began with: designs mean nothing to another model, so it stays with that one
// for as long as the server has it.
let version = "";

/** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
export async function request(path, init = {}) {
  let answer;
  try {
    answer = await fetch(path, version ? { ...init, headers: { ...init.headers, "Modiste-Version": version } } : init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw told(new Refusal(0, { code: "unreachable", detail: "The shop’s server cannot be reached." }));
  }
  if (!answer.ok) throw told(new Refusal(answer.status, await answer.json().catch(() => ({ detail: answer.statusText }))));
  const of = answer.headers.get("modiste-version");
  if (of && version && of !== version) window.dispatchEvent(new Event("modiste:changed"));
  version ||= of ?? "";
  return answer;
}

/** Whoever watches over the server's health is told when it does not answer. @param {Refusal} refusal */
function told(refusal) {
  if (refusal.gone) window.dispatchEvent(new Event("modiste:gone"));
  return refusal;
}

/** @param {string} path @param {AbortSignal} [signal] */
export const get = async (path, signal) => (await request(path, { signal })).json();

/** @param {string} path @param {object} body @param {AbortSignal} [signal] */
export const post = async (path, body, signal) => (await request(path, asked(body, "application/json", signal))).json();

/** A picture. @param {string} path @param {object} body @param {string} type @returns {Promise<Blob>} */
export const picture = async (path, body, type) => (await request(path, asked(body, type))).blob();

/** @param {object} body @param {string} accept @param {AbortSignal} [signal] @returns {RequestInit} */
function asked(body, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  return { method: "POST", headers, body: JSON.stringify(body), signal };
}
