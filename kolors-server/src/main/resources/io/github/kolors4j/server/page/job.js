// One job, from the button to the last picture. Its id is in this tab's session, so that a reload
// finds it again; what was asked for lies beside the gallery.

import * as api from "./api.js";
import * as store from "./store.js";

const CURRENT = "kolors.job";
const FINAL = new Set(["completed", "failed", "cancelled"]);

/** Broken connections in a row, after which the server counts as gone: about a minute. */
const PATIENCE = 10;

const wait = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

/**
 * A job that is on its way.
 *
 * The watcher is told, in this order: sending, [full,] queued, progress and preview, image for each
 * picture, and one of completed, failed, cancelled. broken says that the connection is lost for now.
 */
export class Job {
  #watcher;
  #stop = new AbortController();
  #pictures = new Set();
  #asked;
  /** When the work on the next picture began; null where that was before a reload. */
  #began;

  constructor(asked, watcher) {
    this.#asked = asked;
    this.#watcher = watcher;
    this.#began = asked.id ? null : undefined;
  }

  /** What was asked for: parameters, the picture to start from, the model. */
  get asked() {
    return this.#asked;
  }

  /** The job that this tab was following before it was reloaded. */
  static async recall(watcher) {
    const id = session((storage) => storage.getItem(CURRENT));
    const asked = id && (await store.recall("job " + id));
    return asked ? new Job({ ...asked, id }, watcher) : null;
  }

  /** Sends the request, unless that has happened, and follows it to its end. */
  async run() {
    try {
      if (!this.#asked.id) await this.#submit();
      await this.#follow();
    } catch (error) {
      if (this.#stop.signal.aborted) this.#watcher.cancelled();
      else this.#watcher.failed(error instanceof api.Refusal ? error.message : null, error.status);
    } finally {
      session((storage) => storage.removeItem(CURRENT));
      if (this.#asked.id) await store.forget("job " + this.#asked.id);
    }
  }

  /** Asks the server to end it, or gives up sending it. */
  async cancel() {
    if (!this.#asked.id) {
      this.#stop.abort();
      return;
    }
    try {
      await api.cancel(this.#asked.id);
    } catch (error) {
      // It may have ended on its own, which its events tell; else there is nobody to ask.
      if (!(error instanceof api.Refusal)) this.#stop.abort();
    }
  }

  async #submit() {
    this.#watcher.sending();
    const request = { ...this.#asked.parameters, partial_images: this.#asked.previews };
    if (this.#asked.start) request.image = await dataUrl(this.#asked.start);
    const signal = this.#stop.signal;
    for (;;) {
      try {
        const { id, queue_position } = await api.submit(request, signal);
        this.#asked = { ...this.#asked, id };
        // Where there is no room for it, only a reload loses the job.
        await store.remember("job " + id, this.#asked).catch(() => {});
        session((storage) => storage.setItem(CURRENT, id));
        this.#watcher.queued(queue_position ?? 0);
        return;
      } catch (error) {
        if (error.status !== 429) throw error;
        for (let left = error.retryAfter ?? 5; left > 0; left--) {
          this.#watcher.full(error.message, left);
          await wait(1000, signal);
        }
      }
    }
  }

  async #follow() {
    const { id } = this.#asked;
    const signal = this.#stop.signal;
    for (let failures = 0; ; ) {
      try {
        for await (const event of api.events(id, signal)) {
          failures = 0;
          await this.#take(event);
          if (FINAL.has(event.name)) return;
        }
      } catch (error) {
        if (signal.aborted || error instanceof api.Refusal || ++failures > PATIENCE) throw error;
      }
      this.#watcher.broken();
      await wait(Math.min(500 * 2 ** failures, 8000), signal);
    }
  }

  async #take({ name, data }) {
    const value = JSON.parse(data);
    switch (name) {
      case "queued":
        return this.#watcher.queued(value.queue_position ?? 0);
      case "progress":
        if (this.#began === undefined) this.#began = Date.now();
        return this.#watcher.progress(value);
      case "preview":
        return this.#watcher.preview(`data:image/png;base64,${value.b64_json}`, value);
      case "image":
        return this.#fetch(value.index);
      case "completed":
        // Pictures whose event came while nobody listened.
        for (let index = 0; index < this.#asked.parameters.n; index++) await this.#fetch(index);
        return this.#watcher.completed();
      case "failed":
        return this.#watcher.failed(api.sentence(value.message));
      case "cancelled":
        return this.#watcher.cancelled();
      default:
        // One that a newer server has, and this page does not need.
        return undefined;
    }
  }

  async #fetch(index) {
    if (this.#pictures.has(index)) return;
    const { id, parameters, start, model } = this.#asked;
    const image = await api.picture(id, index, this.#stop.signal);
    this.#pictures.add(index);
    const made = Date.now();
    const seconds = this.#began ? (made - this.#began) / 1000 : null;
    this.#began = made;
    await this.#watcher.image({
      id: `${id}/${index}`,
      image,
      // Each picture has a seed of its own: the next one's is one more, after 2⁶⁴−1 comes 0.
      parameters: { ...parameters, n: 1, seed: String(BigInt.asUintN(64, BigInt(parameters.seed) + BigInt(index))) },
      start,
      model,
      made,
      seconds,
    });
  }
}

function session(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

/** A picture as the request has it. */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
