// Every text of the page, in English and Chinese side by side: one cannot be forgotten. A text with
// numbers in it is a function.

const WORDS = {
  tagline: ["Pictures from words", "以文成画"],
  language: ["Language", "语言"],
  theme: ["Appearance", "外观"],
  themeAuto: ["As the system", "跟随系统"],
  themeLight: ["Light", "浅色"],
  themeDark: ["Dark", "深色"],

  composer: ["What to draw", "画什么"],
  prompt: ["Describe the picture", "描述这幅画"],
  promptHint: ["Who or what, where, in which light …", "主体、场景、光线……"],
  examples: ["For example", "例如"],
  example1: ["a ladybug on a blue background", "一只瓢虫,蓝色背景"],
  example2: ["a red fox in the snow, morning light", "雪地里的红狐狸，清晨的光"],
  example3: ["a teapot on a wooden table, film photo", "木桌上的茶壶，胶片摄影"],

  start: ["Start from a picture", "从一张图片开始"],
  startHint: ["Drop one here, paste it, or", "拖到这里、粘贴，或者"],
  startChoose: ["choose a file", "选择文件"],
  startAlt: ["The picture to start from", "起始图片"],
  startRemove: ["Remove the picture to start from", "移除起始图片"],
  startSet: ["A picture to start from is there.", "已放入起始图片。"],
  startUnreadable: [
    (name) => `“${name}” is not a picture that this browser can read.`,
    (name) => `此浏览器无法读取图片“${name}”。`,
  ],
  strength: ["How much to change", "改动程度"],

  size: ["Size", "尺寸"],
  width: ["Width", "宽"],
  height: ["Height", "高"],
  turn: ["Swap width and height", "交换宽高"],
  shape: [
    (ratio, width, height) => `${ratio}, ${width} by ${height} pixels`,
    (ratio, width, height) => `${ratio}，${width} × ${height} 像素`,
  ],

  more: ["Fine tuning", "更多设置"],
  negative: ["What it should not show", "不要出现的内容"],
  negativeHint: ["blurred, text, extra fingers …", "模糊、文字、多余的手指……"],
  steps: ["Steps", "步数"],
  guidance: ["Guidance", "引导强度"],
  scheduler: ["Scheduler", "采样器"],
  ownScheduler: ["The model’s own", "模型自带"],
  seed: ["Seed", "种子"],
  seedRandom: ["New each time", "每次随机"],
  seedRule: ["A whole number from 0 to 18446744073709551615", "0 到 18446744073709551615 之间的整数"],
  count: ["Pictures", "张数"],
  resetSettings: ["Back to the model’s settings", "恢复模型默认设置"],

  generate: ["Generate", "生成"],
  shortcut: ["Ctrl + Enter", "Ctrl + Enter"],

  stage: ["The picture", "画面"],
  empty: ["Your picture appears here.", "图片将出现在这里。"],
  sending: ["Sending …", "正在发送……"],
  queued: [(place) => `In the queue: place ${place}`, (place) => `排队中：第 ${place} 位`],
  next: ["Next in the queue", "排队中：下一个就是你"],
  beginning: ["Reading the prompt …", "正在读取提示词……"],
  finishing: ["Finishing the picture …", "正在完成图片……"],
  step: [
    (step, steps) => `Step ${step} of ${steps}`,
    (step, steps) => `第 ${step} 步，共 ${steps} 步`,
  ],
  image: [
    (image, images) => `Picture ${image} of ${images}`,
    (image, images) => `第 ${image} 张，共 ${images} 张`,
  ],
  left: [(time) => `about ${time} left`, (time) => `约剩 ${time}`],
  seconds: [(s) => `${s} s`, (s) => `${s} 秒`],
  minutes: [
    (m, s) => (s ? `${m} min ${s} s` : `${m} min`),
    (m, s) => (s ? `${m} 分 ${s} 秒` : `${m} 分钟`),
  ],
  hours: [(h, m) => `${h} h ${m} min`, (h, m) => `${h} 小时 ${m} 分`],
  progress: ["Progress", "进度"],
  cancel: ["Cancel", "取消"],
  cancelling: ["Cancelling …", "正在取消……"],
  cancelled: ["Cancelled.", "已取消。"],
  rejoining: ["The connection broke. Joining again …", "连接中断，正在重新连接……"],
  lost: ["The server cannot be reached.", "无法连接服务器。"],
  gone: [
    "The server does not know this job any more: it was restarted, or the job is long finished.",
    "服务器已不再保留此任务：可能服务器已重启，或任务早已结束。",
  ],
  full: [(time) => `Trying again in ${time}.`, (time) => `${time}后重试。`],
  tryAgain: ["Try again", "重试"],
  finished: ["The picture is finished.", "图片已完成。"],
  previewAlt: [(prompt) => `Coming to be: ${prompt}`, (prompt) => `生成中：${prompt}`],
  untitled: ["Without a prompt", "无提示词"],

  download: ["Download", "下载"],
  vary: ["Another one", "再来一张"],
  useAsStart: ["Start from this", "以此图为起点"],
  reuse: ["Use these settings", "使用这些设置"],
  reused: ["The settings are in the form.", "设置已填入表单。"],
  remove: ["Delete", "删除"],
  removed: ["The picture is deleted.", "图片已删除。"],
  undo: ["Undo", "撤销"],
  close: ["Close", "关闭"],
  previous: ["Previous picture", "上一张"],
  following: ["Next picture", "下一张"],

  gallery: ["Gallery", "画廊"],
  galleryNote: ["Kept in this browser only", "仅保存在此浏览器中"],
  galleryEmpty: [
    "What you make is kept here, with everything that made it.",
    "生成的图片连同全部参数都会保存在这里。",
  ],
  pictures: [(n) => (n === 1 ? "1 picture" : `${n} pictures`), (n) => `${n} 张`],
  showMore: ["Show more", "显示更多"],
  noRoom: [
    "This browser has no room to keep the picture: download it, or delete others.",
    "浏览器没有空间保存这张图片：请下载，或删除其他图片。",
  ],
  notKept: [
    "This browser keeps no data for the page: pictures are gone when it is closed.",
    "此浏览器不为本页保存数据：关闭后图片将消失。",
  ],
  details: ["How it was made", "生成参数"],
  made: ["Made", "时间"],
  took: ["Took", "用时"],
  model: ["Model", "模型"],
  startedFrom: ["Started from", "起始图片"],

  keyTitle: ["This server asks for a key", "此服务器需要密钥"],
  keyText: ["Whoever runs it can tell you.", "请向服务器管理者索取。"],
  keyWrong: ["The server did not accept this key.", "服务器未接受此密钥。"],
  key: ["Key", "密钥"],
  keyKeep: ["Remember it in this browser", "在此浏览器中记住"],
  keySend: ["Continue", "继续"],
};

const CHOSEN = "kolors.language";

/** The languages, as the index into each pair. */
const LANGUAGES = ["en", "zh"];

/** The language of the page: "en" or "zh". It is set before the first paint, by first.js. */
export function language() {
  return document.documentElement.lang.startsWith("zh") ? "zh" : "en";
}

/** The text of a name, with its numbers. */
export function say(name, ...values) {
  const text = WORDS[name][LANGUAGES.indexOf(language())];
  return typeof text === "function" ? text(...values) : text;
}

/** A number as the language writes it, to at most two places. */
export function number(value) {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: 2, useGrouping: false }).format(value);
}

/** A duration for people: "8 s", "2 min 5 s". */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return say("seconds", whole);
  if (whole < 3600) return say("minutes", Math.floor(whole / 60), whole % 60);
  return say("hours", Math.floor(whole / 3600), Math.round((whole % 3600) / 60));
}

/** A time for people. */
export function date(milliseconds) {
  return new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  }).format(milliseconds);
}

const ATTRIBUTES = { say: "textContent", sayLabel: "ariaLabel", sayHint: "placeholder", sayTitle: "title", sayAlt: "alt" };

/** Puts the texts into all elements that name one: data-say, data-say-label, -hint, -title, -alt. */
export function translate(root = document) {
  for (const [key, property] of Object.entries(ATTRIBUTES)) {
    const attribute = "data-" + key.replace(/[A-Z]/, (letter) => "-" + letter.toLowerCase());
    for (const element of root.querySelectorAll(`[${attribute}]`)) {
      element[property] = say(element.dataset[key]);
    }
  }
}

const listeners = new Set();

/** Calls back after each change of the language, for texts that are not in the markup. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** Changes the language, and remembers it. */
export function speak(code) {
  document.documentElement.lang = code === "zh" ? "zh-Hans" : "en";
  try {
    localStorage.setItem(CHOSEN, code);
  } catch {
    // It holds until the page is closed.
  }
  translate();
  listeners.forEach((listener) => listener());
}
