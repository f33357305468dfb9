// The server, as the page sees it. Addresses are relative to the page, so that a proxy may put both
// below any path.

/** An answer that says no, with the server's own sentence. */
export class Refusal extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const KEY = "kolors.key";

function storages() {
  try {
    return [sessionStorage, localStorage];
  } catch {
    return [];
  }
}

let key = storages().map((storage) => storage.getItem(KEY)).find(Boolean) ?? null;

/** Sets the key for this tab, or for this browser. */
export function useKey(value, remember) {
  key = value;
  for (const storage of storages()) storage.removeItem(KEY);
  storages()[remember ? 1 : 0]?.setItem(KEY, value);
}

let askForKey = async () => false;
let asking = null;

/** What asks the user for a key when the server wants one: gives true when there is a new one. */
export function onKeyWanted(ask) {
  askForKey = ask;
}

async function send(path, options = {}) {
  for (let wrong = false; ; wrong = true) {
    const used = key;
    const headers = { ...options.headers };
    if (used) headers.Authorization = `Bearer ${used}`;
    const response = await fetch(path, { cache: "no-store", ...options, headers });
    if (response.ok) return response;
    const refused = await refusal(response);
    if (refused.status !== 401) throw refused;
    // Another request may have brought a new key meanwhile; several share one dialog.
    if (key !== used) continue;
    asking ??= askForKey(wrong || used !== null).finally(() => (asking = null));
    if (!(await asking)) throw refused;
  }
}

/** A message of the server as a sentence: without the name of its part, which is for logs. */
export function sentence(message) {
  return message?.replace(/^\[[\w-]+\] /, "").replace(/^[a-z]{2,}(?= )/, (word) => word[0].toUpperCase() + word.slice(1));
}

async function refusal(response) {
  let message = `HTTP ${response.status} ${response.statusText}`;
  try {
    message = sentence((await response.json()).error.message) ?? message;
  } catch {
    // Not from our server, as a proxy's page: the status has to do.
  }
  const seconds = Number(response.headers.get("Retry-After"));
  return new Refusal(response.status, message, seconds > 0 ? seconds : null);
}

/** What the server draws with: model, defaults, schedulers. */
export async function info() {
  return (await send("v1/info")).json();
}

/** Asks for pictures. The seed is text: it has up to 20 digits, and a number of JavaScript 15. */
export async function submit(parameters, signal) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify(parameters);
  return (await send("v1/jobs", { method: "POST", headers, body, signal })).json();
}

/** Ends a job. */
export async function cancel(id) {
  await send(`v1/jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" });
}

/** One of a job's pictures, as a PNG. */
export async function picture(id, index, signal) {
  const response = await send(`v1/jobs/${encodeURIComponent(id)}/images/${index}`, { signal });
  return response.blob();
}

/** The events of a job, until the server ends them: its name and its data, as text. EventSource would send no key. */
export async function* events(id, signal) {
  const headers = { Accept: "text/event-stream" };
  const response = await send(`v1/jobs/${encodeURIComponent(id)}/events`, { headers, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** An event's lines; a comment, which only keeps the connection alive, is none. */
function parse(block) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length > 0 ? { name, data: data.join("\n") } : null;
}
