#include "deploy/local/sink/page.h"

namespace liveops::sink {

const char kPage[] = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LiveOps sandbox: Slack and PagerDuty</title>
<style>
:root { color-scheme: light dark; --bg:#f6f7f9; --card:#fff; --ink:#1d2330; --soft:#667085; --line:#e3e6ec;
  --red:#d92d20; --amber:#b54708; --green:#067647; --blue:#175cd3; --code:#f0f2f5; }
@media (prefers-color-scheme: dark) {
  :root { --bg:#12151b; --card:#1b2029; --ink:#e8ebf1; --soft:#98a2b3; --line:#2b3240;
    --red:#f97066; --amber:#fdb022; --green:#47cd89; --blue:#84adff; --code:#252c38; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--bg); color:var(--ink); font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif; }
header { padding:20px 28px 8px; display:flex; flex-wrap:wrap; gap:8px 24px; align-items:baseline; }
h1 { font-size:19px; margin:0; } h2 { font-size:15px; margin:0 0 12px; color:var(--soft); font-weight:600; }
.count { color:var(--soft); } .count b { color:var(--ink); } .bad, .count b.bad { color:var(--red); }
main { display:grid; grid-template-columns:minmax(0,3fr) minmax(0,2fr); gap:20px; padding:12px 28px 40px; }
@media (max-width:900px) { main { grid-template-columns:1fr; } }
.card { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:14px 16px; margin-bottom:12px; overflow-wrap:anywhere; }
.meta { color:var(--soft); font-size:13px; display:flex; gap:12px; flex-wrap:wrap; margin-bottom:4px; }
.title { font-weight:650; font-size:16px; margin:2px 0 6px; }
.fields { display:grid; grid-template-columns:1fr 1fr; gap:4px 16px; margin:6px 0; }
.text { white-space:pre-wrap; margin:4px 0; } .context { color:var(--soft); font-size:13px; }
code { background:var(--code); padding:1px 5px; border-radius:4px; font-size:13px; }
pre { background:var(--code); padding:8px 10px; border-radius:6px; overflow-x:auto; font-size:13px; margin:6px 0; }
a { color:var(--blue); } hr { border:0; border-top:1px solid var(--line); margin:8px 0; }
.badge { font-size:12px; font-weight:650; border-radius:999px; padding:2px 9px; border:1px solid currentColor; }
.triggered { color:var(--red); } .acknowledged { color:var(--amber); } .resolved { color:var(--green); }
.violation { color:var(--red); font-size:13px; margin-top:6px; } .fault { color:var(--amber); font-size:13px; margin-top:6px; }
.button { display:inline-block; border:1px solid var(--line); border-radius:6px; padding:3px 10px; margin:4px 6px 0 0; font-size:13px; }
.empty { color:var(--soft); }
details { margin-top:6px; } summary { cursor:pointer; color:var(--soft); font-size:13px; }
</style>
</head>
<body>
<header><h1>What Slack and PagerDuty show</h1><span class="count" id="counts"></span></header>
<main>
<section><h2>Slack</h2><div id="slack"></div></section>
<section><h2>PagerDuty</h2><div id="alerts"></div><div id="changes"></div></section>
</main>
<script>
"use strict";
const make = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };
const when = us => us ? new Date(us / 1000).toLocaleTimeString([], {hour12:false}) + "." + String(Math.floor(us / 1000) % 1000).padStart(3, "0") : "";
const glyphs = {red_circle:"🔴", large_orange_circle:"🟠", large_yellow_circle:"🟡", large_blue_circle:"🔵", large_green_circle:"🟢",
  black_circle:"⚫", white_check_mark:"✅", warning:"⚠️", wrench:"🔧", raising_hand:"🙋", repeat:"🔁"};
const plain = s => s.replace(/:([a-z_]+):/g, (all, name) => glyphs[name] || all).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const safe = url => /^(https?:|mailto:)/.test(url) ? url : "#";

// Slack's mrkdwn as elements; text never becomes HTML.
function mrkdwn(text, into) {
  const form = /```([\s\S]+?)```|`([^`\n]+)`|\*([^*\n]+)\*|_([^_\n]+)_|~([^~\n]+)~|<([^>|]+)(?:\|([^>]*))?>/;
  let rest = text;
  for (let m; (m = form.exec(rest)); rest = rest.slice(m.index + m[0].length)) {
    // A mark inside a word, as in http_5xx_count, is none.
    const wordy = m[4] !== undefined && (/\w$/.test(rest.slice(0, m.index)) || /^\w/.test(rest.slice(m.index + m[0].length)));
    into.append(plain(rest.slice(0, m.index)));
    if (wordy) { into.append(plain(m[0])); continue; }
    if (m[1] !== undefined) into.append(make("pre", "", plain(m[1])));
    else if (m[2] !== undefined) into.append(make("code", "", plain(m[2])));
    else if (m[3] !== undefined) { const b = make("b"); mrkdwn(m[3], b); into.append(b); }
    else if (m[4] !== undefined) { const i = make("i"); mrkdwn(m[4], i); into.append(i); }
    else if (m[5] !== undefined) into.append(make("s", "", plain(m[5])));
    else if (/^[@#!]/.test(m[6])) into.append(make("code", "", plain(m[7] || m[6])));
    else { const a = make("a", "", plain(m[7] || m[6])); a.href = safe(plain(m[6])); into.append(a); }
  }
  into.append(plain(rest));
  return into;
}
const textOf = (t, into) => !t ? into : t.type === "mrkdwn" ? mrkdwn(String(t.text), into) : (into.append(plain(String(t.text))), into);

function block(b) {
  if (b.type === "header") return textOf(b.text, make("div", "title"));
  if (b.type === "divider") return make("hr");
  if (b.type === "context") {
    const line = make("div", "context");
    (b.elements || []).forEach((e, i) => { if (i) line.append("  ·  "); textOf(e, line); });
    return line;
  }
  if (b.type === "actions") {
    const line = make("div");
    (b.elements || []).forEach(e => line.append(textOf(e.text, make("span", "button"))));
    return line;
  }
  const section = make("div");
  if (b.text) section.append(textOf(b.text, make("div", "text")));
  if (b.fields) {
    const grid = make("div", "fields");
    b.fields.forEach(f => grid.append(textOf(f, make("div", "text"))));
    section.append(grid);
  }
  return section;
}

function remarks(entry, card) {
  (entry.violations || []).forEach(v => card.append(make("div", "violation", "breaks the contract: " + v)));
  if (entry.fault) card.append(make("div", "fault", "injected: " + entry.fault));
  else if (entry.status >= 400) card.append(make("div", "fault", "answered " + entry.status));
}

function slackCard(entry) {
  const card = make("article", "card");
  const meta = make("div", "meta");
  meta.append(make("b", "", entry.channel), make("span", "", when(entry.received_us)));
  card.append(meta);
  try {
    const body = entry.body || {};
    if (body.blocks) body.blocks.forEach(b => card.append(block(b)));
    else mrkdwn(String(body.text || ""), card.appendChild(make("div", "text")));
  } catch (e) { card.append(make("div", "violation", "cannot be shown: " + e)); }
  remarks(entry, card);
  return card;
}

const details = new Map();  // alert number -> its newest custom_details
const eventsOf = new Map();  // alert number -> [entry]
function alertCard(alert) {
  const card = make("article", "card");
  const meta = make("div", "meta");
  meta.append(make("span", "badge " + alert.state, alert.state), make("span", "", alert.severity), make("span", "", alert.source),
    make("span", "", "#" + alert.number));
  card.append(meta, make("div", "title", alert.summary));
  const line = [["opened", alert.opened_us], ["acknowledged", alert.acknowledged_us], ["resolved", alert.resolved_us]]
    .filter(p => p[1]).map(p => p[0] + " " + when(p[1])).join("  ·  ");
  card.append(make("div", "context", line + (alert.triggers > 1 ? "  ·  " + alert.triggers + " triggers" : "")));
  const more = make("details");
  more.append(make("summary", "", "details"), make("pre", "", JSON.stringify(details.get(alert.number) || {}, null, 2)),
    make("div", "context", "dedup key " + alert.dedup_key));
  more.open = open.has(alert.number);
  more.addEventListener("toggle", () => more.open ? open.add(alert.number) : open.delete(alert.number));
  card.append(more);
  (eventsOf.get(alert.number) || []).forEach(e => remarks(e, card));
  return card;
}

const open = new Set();
let last = 0, messages = 0, shown = "";
async function poll() {
  try {
    const answer = await (await fetch("/ledger?after=" + last)).json();
    const slack = document.getElementById("slack");
    for (const entry of answer.entries) {
      last = entry.number;
      if (entry.provider === "slack") { messages++; slack.querySelector(".empty")?.remove(); slack.prepend(slackCard(entry)); }
      else if (entry.kind === "change" || !entry.alert) {
        const card = make("article", "card");
        const meta = make("div", "meta");
        meta.append(make("b", "", entry.kind || "event"), make("span", "", entry.effect), make("span", "", when(entry.received_us)));
        card.append(meta, make("div", "", entry.title));
        remarks(entry, card);
        document.getElementById("changes").prepend(card);
      } else {
        eventsOf.set(entry.alert, [...(eventsOf.get(entry.alert) || []), entry]);
        if (entry.body?.payload?.custom_details) details.set(entry.alert, entry.body.payload.custom_details);
      }
    }
    const key = JSON.stringify(answer.alerts);
    if (key !== shown || last === 0) {
      shown = key;
      const alerts = document.getElementById("alerts");
      alerts.replaceChildren(...answer.alerts.slice().reverse().map(alertCard));
      if (!answer.alerts.length) alerts.append(make("p", "empty", "No alert so far."));
      if (!messages) slack.replaceChildren(make("p", "empty", "No message so far."));
    }
    const counts = document.getElementById("counts");
    const alive = answer.alerts.filter(a => a.state !== "resolved").length;
    counts.replaceChildren(make("b", "", alive), " open of ", make("b", "", answer.alerts.length), " alerts, ", make("b", "", messages),
      " messages, ", make("b", answer.violations ? "bad" : "", answer.violations), " breaches of contract");
  } catch (e) { document.getElementById("counts").textContent = "the sandbox does not answer"; }
  setTimeout(poll, 700);
}
poll();
</script>
</body>
</html>
)html";

}  // namespace liveops::sink
