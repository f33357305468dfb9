// Puts the parts of the page together.

import * as api from "./api.js";
import * as form from "./form.js";
import * as gallery from "./gallery.js";
import { Job } from "./job.js";
import { $, download, notice, speakOut } from "./page.js";
import * as stage from "./stage.js";
import * as start from "./start.js";
import { language, onLanguage, say, speak, translate } from "./words.js";

let info;
let job = null;

/** What a job tells goes to the easel, and its pictures to the gallery too. */
const watcher = {
  sending() {},
  full: stage.full,
  queued: stage.queued,
  progress: stage.progress,
  preview: stage.preview,
  broken: stage.broken,
  async image(picture) {
    stage.finishedImage(picture);
    await gallery.add(picture);
  },
  completed: stage.completed,
  cancelled: stage.cancelled,
  failed(message, status) {
    if (status === 404 || status === 410) stage.failed(() => say("gone"));
    else stage.failed(() => message ?? say("lost"));
  },
};

async function generate(options) {
  if (job || !info) return;
  const read = form.read(options);
  if (!read) return;
  await follow(new Job({ ...read, model: info.model, previews: PREVIEWS }, watcher));
}

/** As many as the server gives. */
const PREVIEWS = 3;

async function follow(next) {
  job = next;
  $("generate").disabled = true;
  $("cancel").disabled = false;
  stage.begin(job.asked);
  if (getComputedStyle($("stage")).position !== "sticky") $("stage").scrollIntoView({ block: "start" });
  await job.run();
  job = null;
  $("generate").disabled = false;
}

function setUpSwitches() {
  const chosen = { language: language(), theme: document.documentElement.dataset.theme ?? "auto" };
  for (const input of document.querySelectorAll(".switch input")) {
    input.checked = input.value === chosen[input.name];
  }
  $("language").addEventListener("change", ({ target }) => speak(target.value));
  $("theme").addEventListener("change", ({ target }) => {
    if (target.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = target.value;
    try {
      localStorage.setItem("kolors.theme", target.value);
    } catch {
      // It holds until the page is closed.
    }
  });
}

function setUpKey() {
  api.onKeyWanted((wrong) => {
    $("ask-text").dataset.say = wrong ? "keyWrong" : "keyText";
    translate($("ask"));
    $("key").value = "";
    $("ask").returnValue = "";
    $("ask").showModal();
    return new Promise((resolve) =>
      $("ask").addEventListener(
        "close",
        () => {
          const given = $("ask").returnValue === "send";
          if (given) api.useKey($("key").value, $("key-keep").checked);
          $("key").value = "";
          resolve(given);
        },
        { once: true },
      ),
    );
  });
}

function startFrom(image) {
  start.set(image);
  speakOut(say("startSet"));
  $("prompt").focus();
}

function setUpActions() {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    generate();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      generate();
    }
  });
  $("cancel").addEventListener("click", () => {
    $("cancel").disabled = true;
    stage.cancelling();
    job?.cancel();
  });
  $("try-again").addEventListener("click", () => (info ? generate() : connect()));
  $("caption").addEventListener("click", ({ target }) => {
    const picture = stage.current();
    switch (target.closest("[data-action]")?.dataset.action) {
      case "download":
        return download(picture);
      case "vary":
        return generate({ anotherSeed: true });
      case "start":
        return startFrom(picture.image);
    }
    return undefined;
  });
}

/** Asks the server what it is; without that there is nothing to fill in or to send. */
async function connect() {
  $("generate").disabled = true;
  try {
    info = await api.info();
  } catch (error) {
    stage.failed(() => (error instanceof api.Refusal ? error.message : say("lost")));
    return;
  }
  $("model").textContent = info.model;
  $("version").textContent = `kolors4j ${info.version}`;
  stage.empty();
  await form.setUp(info, stage.outline);
  $("form").classList.remove("unready");
  $("form").inert = false;
  $("generate").disabled = false;
  const running = await Job.recall(watcher);
  if (running) await follow(running);
}

translate();
setUpSwitches();
setUpKey();
setUpActions();
onLanguage(() => translate($("ask")));
stage.setUp();
await gallery.setUp({
  reuse: async (picture) => {
    await form.reuse(picture);
    notice(say("reused"));
  },
  start: startFrom,
});
await connect();
