/**
 * Emoji by the names that Slack gives them; those that a team uses most.
 * @module
 */

import { h } from "../dom.js";

const TABLE = `
+1 👍 -1 👎 thumbsup 👍 thumbsdown 👎 heart ❤️ tada 🎉 eyes 👀 white_check_mark ✅ heavy_check_mark ✔️ x ❌
warning ⚠️ rocket 🚀 fire 🔥 bug 🐛 wave 👋 pray 🙏 clap 👏 raised_hands 🙌 ok_hand 👌 muscle 💪 smile 😄 slightly_smiling_face 🙂
grinning 😀 joy 😂 sweat_smile 😅 wink 😉 blush 😊 thinking_face 🤔 neutral_face 😐 confused 😕 cry 😢 sob 😭 scream 😱
sunglasses 😎 heart_eyes 😍 partying_face 🥳 facepalm 🤦 shrug 🤷 100 💯 boom 💥 sparkles ✨ star ⭐ zap ⚡ bulb 💡
memo 📝 pencil 📝 pencil2 ✏️ mag 🔍 lock 🔒 unlock 🔓 key 🔑 hammer 🔨 wrench 🔧 gear ⚙️ package 📦 bookmark 🔖 link 🔗
paperclip 📎 calendar 📅 clock1 🕐 hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ alarm_clock ⏰ bell 🔔 no_bell 🔕
chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 moneybag 💰 dollar 💵 credit_card 💳 receipt 🧾
ticket 🎫 bookmark_tabs 📑 books 📚 book 📖 page_facing_up 📄 clipboard 📋 pushpin 📌 inbox_tray 📥 outbox_tray 📤
email ✉️ speech_balloon 💬 thought_balloon 💭 question ❓ exclamation ❗ heavy_plus_sign ➕ heavy_minus_sign ➖
information_source ℹ️ no_entry ⛔ no_entry_sign 🚫 octagonal_sign 🛑 construction 🚧 rotating_light 🚨 recycle ♻️
arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrows_counterclockwise 🔄 leftwards_arrow_with_hook ↩️
red_circle 🔴 large_blue_circle 🔵 white_circle ⚪ black_circle ⚫ large_green_circle 🟢 large_yellow_circle 🟡
robot_face 🤖 ghost 👻 alien 👽 poop 💩 skull 💀 coffee ☕ pizza 🍕 beer 🍺 cake 🍰 birthday 🎂 gift 🎁 trophy 🏆
ship 🚢 anchor ⚓ sailboat ⛵ ocean 🌊 sunny ☀️ cloud ☁️ umbrella ☔ snowflake ❄️ rainbow 🌈 seedling 🌱 evergreen_tree 🌲
point_up ☝️ point_down 👇 point_left 👈 point_right 👉 raised_hand ✋ v ✌️ crossed_fingers 🤞 handshake 🤝 writing_hand ✍️
zero 0️⃣ one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ shopping_bags 🛍️ shopping_trolley 🛒 test_tube 🧪 microscope 🔬 lipstick 💄
`;

const words = TABLE.trim().split(/\s+/);

/** @type {Map<string, string>} */
export const EMOJI = new Map(words.flatMap((name, at) => (at % 2 ? [] : [[name, words[at + 1]]])));

/** One name for each, for those who choose by looking. */
export const NAMES = [...EMOJI.keys()].filter(
  (name, at, all) => all.findIndex((other) => EMOJI.get(other) === EMOJI.get(name)) === at,
);

/** What the reaction picker offers first. */
export const USUAL = [
  "+1",
  "heart",
  "eyes",
  "tada",
  "white_check_mark",
  "x",
  "thinking_face",
  "rocket",
  "-1",
];

/**
 * @param {string} name without colons, with or without a skin tone
 * @returns {Node | null} null for a name that is not known
 */
export function emoji(name) {
  const shown = EMOJI.get(name.split("::")[0]);
  if (!shown) return null;
  return h(
    "span",
    { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` },
    shown,
  );
}
