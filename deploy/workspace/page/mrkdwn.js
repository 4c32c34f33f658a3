// Slack's mrkdwn and rich text, as nodes.
import { h } from "./dom.js";

const EMOJI = { warning: "⚠️", white_check_mark: "✅", x: "❌", lock: "🔒", mag: "🔍", camera: "📷", eyes: "👀", hourglass: "⏳", hourglass_flowing_sand: "⏳",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", no_entry: "⛔", no_entry_sign: "🚫", information_source: "ℹ️", page_facing_up: "📄", scales: "⚖️", memo: "📝",
  bell: "🔔", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", pray: "🙏", tada: "🎉", question: "❓", heavy_check_mark: "✔️", clipboard: "📋", key: "🔑",
  file_folder: "📁", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_blue_circle: "🔵", white_circle: "⚪", police_car: "🚓", link: "🔗",
  one: "1️⃣", two: "2️⃣", three: "3️⃣", chart_with_upwards_trend: "📈", bar_chart: "📊", shield: "🛡️", heart: "❤️", slightly_smiling_face: "🙂", arrow_right: "➡️", rotating_light: "🚨", stop_sign: "🛑", wastebasket: "🗑️", calendar: "📅", identification_card: "🪪" };
const NAMES = new Map();

export function know(users, channels, groups) {
  for (const u of users) NAMES.set(u.id, { label: "@" + (u.profile.display_name || u.real_name), title: u.profile.real_name });
  for (const c of channels) if (c.name) NAMES.set(c.id, { label: "#" + c.name });
  for (const g of groups) NAMES.set(g.id, { label: "@" + g.handle, title: g.name });
}
const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
export const emoji = (name) => EMOJI[name] || `:${name}:`;
const mention = (id) => h("span.mention", { title: NAMES.get(id)?.title || "" }, NAMES.get(id)?.label || id);

export function link(url, label) {
  const safe = /^(https?:|mailto:)/.test(url) ? url : "";
  return safe ? h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, label || url) : h("span", {}, label || url);
}

export function when(seconds, format = "{date_short_pretty} at {time}") {
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const date = at.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" });
  const text = format.replace(/\{time(_secs)?\}/g, (_, s) => (s ? at.toLocaleTimeString() : time)).replace(/\{date_num\}/g, at.toISOString().slice(0, 10)).replace(/\{date[a-z_]*\}/g, date).replace(/\{ago\}/g, `${date} ${time}`);
  return h("time", { dateTime: at.toISOString(), title: at.toString() }, text);
}

function angle(inner) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@") || target.startsWith("#")) return NAMES.has(target.slice(1)) ? mention(target.slice(1)) : h("span.mention", {}, label || target);
  if (target.startsWith("!subteam^")) return mention(target.slice(9));
  if (target.startsWith("!date^")) { const [, at, format] = target.split("^"); return when(Number(at), format); }
  if (target.startsWith("!")) return h("span.mention.broadcast", {}, "@" + target.slice(1));
  return link(unescape(target), label ? unescape(label) : undefined);
}

const INLINE = /(`[^`\n]+`)|<([^<>]+)>|(?<![\w*])\*(?=\S)([^*\n]+?)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]+?)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]+?)~(?![\w~])|:([a-z0-9_+-]+):/g;

function inline(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(INLINE)) {
    if (m.index > at) out.push(unescape(text.slice(at, m.index)));
    at = m.index + m[0].length;
    if (m[1]) out.push(h("code", {}, unescape(m[1].slice(1, -1))));
    else if (m[2]) out.push(angle(m[2]));
    else if (m[3]) out.push(h("strong", {}, inline(m[3])));
    else if (m[4]) out.push(h("em", {}, inline(m[4])));
    else if (m[5]) out.push(h("s", {}, inline(m[5])));
    else out.push(EMOJI[m[6]] || m[0]);
  }
  if (at < text.length) out.push(unescape(text.slice(at)));
  return out;
}

function lines(text) {
  const out = [];
  let quote = null;
  text.split("\n").forEach((line, index, all) => {
    if (line.startsWith("&gt;") || line.startsWith(">")) {
      if (!quote) out.push((quote = h("blockquote")));
      quote.append(h("div", {}, inline(line.replace(/^(&gt;|>) ?/, ""))));
    } else {
      quote = null;
      out.push(h("span", {}, inline(line)));
      if (index < all.length - 1) out.push(h("br"));
    }
  });
  return out;
}

export function mrkdwn(text) {
  const parts = String(text).split(/```\n?/);
  return parts.map((part, index) => (index % 2 ? h("pre", {}, unescape(part.replace(/\n$/, ""))) : lines(part)));
}

function broken(text) { return text.split("\n").flatMap((line, i) => (i ? [h("br"), line] : [line])); }

export function textObject(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return object.verbatim ? lines(object.text) : mrkdwn(object.text);
  return broken(object.text.replace(/:([a-z0-9_+-]+):/g, (all, name) => (object.emoji === false ? all : EMOJI[name] || all)));
}

function span(e) {
  let node;
  switch (e.type) {
    case "text": node = h("span", {}, broken(e.text)); break;
    case "link": node = link(e.url, e.text); break;
    case "user": node = mention(e.user_id); break;
    case "usergroup": node = mention(e.usergroup_id); break;
    case "channel": node = mention(e.channel_id); break;
    case "emoji": node = h("span", {}, emoji(e.name)); break;
    case "broadcast": node = h("span.mention.broadcast", {}, "@" + e.range); break;
    case "date": node = when(Number(e.timestamp), e.format); break;
    default: node = h("span", {}, e.value || "");
  }
  for (const [style, tag] of [["bold", "strong"], ["italic", "em"], ["strike", "s"], ["code", "code"]]) if (e.style?.[style]) node = h(tag, {}, node);
  return node;
}

export function richText(block) {
  return h("div.rich", {}, block.elements.map((e) => {
    switch (e.type) {
      case "rich_text_list": return h(e.style === "ordered" ? "ol" : "ul", {}, e.elements.map((i) => h("li", {}, i.elements.map(span))));
      case "rich_text_quote": return h("blockquote", {}, e.elements.map(span));
      case "rich_text_preformatted": return h("pre", {}, e.elements.map((x) => x.text || x.url));
      default: return h("div", {}, e.elements.map(span));
    }
  }));
}
