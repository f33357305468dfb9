// Small things that every part of the page uses.

import { say } from "./words.js";

/** The element of an id. */
export const $ = (id) => document.getElementById(id);

/** Says something to who listens rather than looks. */
export function speakOut(text) {
  $("spoken").textContent = text;
}

let hiding;

/** Shows a line at the bottom for some seconds, with something to do about it. */
export function notice(text, actionName = null, action = null) {
  clearTimeout(hiding);
  const button = $("notice-action");
  button.hidden = !action;
  button.textContent = actionName ? say(actionName) : "";
  button.onclick = () => {
    hide();
    action();
  };
  $("notice-text").textContent = text;
  $("notice").classList.add("shown");
  hiding = setTimeout(hide, action ? 10_000 : 6_000);
}

function hide() {
  clearTimeout(hiding);
  $("notice").classList.remove("shown");
  $("notice-action").hidden = true;
}

/** Hands a picture out as a file. */
export function download({ image, parameters }) {
  const words = parameters.prompt.normalize("NFC").match(/[\p{L}\p{N}]+/gu) ?? [];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(image);
  link.download = [...words.slice(0, 8), parameters.seed].join("-").slice(0, 120) + ".png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
