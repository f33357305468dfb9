// Runs before the first paint, so that neither a wrong colour nor a wrong language flashes: what was
// chosen here, else what system and browser prefer.
(() => {
  const root = document.documentElement;
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem("kolors.theme");
    language = localStorage.getItem("kolors.language");
  } catch {
    // A browser that keeps nothing.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  language ??= (navigator.languages ?? []).find((tag) => /^(zh|en)\b/i.test(tag)) ?? "en";
  root.lang = language.toLowerCase().startsWith("zh") ? "zh-Hans" : "en";
})();
