// The page of the sandbox's control interface: shows what the endpoints answer and sends what people order.
// Mail content goes into text nodes, or into a frame that may neither run scripts nor load anything.
"use strict";

const PAGE = 200;
const byId = (id) => document.getElementById(id);
const part = (text) => encodeURIComponent(text);

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  for (const child of children) made.append(child === null || child === undefined ? "" : child);
  return made;
}

function row(cells) {
  return element("tr", {}, ...cells.map((cell) => {
    if (cell instanceof Node) return element("td", {}, cell);
    if (cell && typeof cell === "object") return element("td", { class: cell.class }, cell.text);
    return element("td", {}, cell === null || cell === undefined ? "" : String(cell));
  }));
}

const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const number = (value) => ({ class: "number", text: Number(value).toLocaleString("en") });
const time = (text) => ({ class: "time", text: String(text).replace("T", " ").replace(/\.\d+/, "").replace("Z", "") });

function say(text, failed) {
  const status = byId("status");
  status.textContent = failed ? "Failed: " + text : text;
  status.classList.toggle("failed", Boolean(failed));
}

async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const document = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(document.error || "status " + response.status);
  return document;
}

// Runs what a person asked for and says how it ended.
function doing(work, done) {
  return async (event) => {
    if (event && event.preventDefault) event.preventDefault();
    try {
      say(await work(event) || done || "");
    } catch (error) {
      say(error.message, true);
    }
  };
}

// A table body that shows its first rows and more on demand.
function fill(body, more, items, show) {
  body.replaceChildren();
  let shown = 0;
  const next = () => {
    const end = Math.min(items.length, shown + PAGE);
    for (; shown < end; shown += 1) body.append(show(items[shown]));
    more.hidden = shown >= items.length;
  };
  more.onclick = next;
  next();
}

function choose(chosen) {
  for (const other of chosen.parentNode.children) other.removeAttribute("aria-selected");
  chosen.setAttribute("aria-selected", "true");
}

function options(select, values, label) {
  const before = select.value;
  select.replaceChildren(...values.map((value) => element("option", { value: value.value }, label(value))));
  if (values.some((value) => value.value === before)) select.value = before;
}

// One message in full: summary, body, attachments, headers, bytes. `base` is its address below the interface.
async function showMessage(place, details, base) {
  const message = await ask("GET", details);
  const header = (name) => message.headers.filter((one) => one.name.toLowerCase() === name).map((one) => one.value).join(", ");
  const summary = element("dl", {});
  for (const [label, name] of [["From", "from"], ["To", "to"], ["Cc", "cc"], ["Date", "date"], ["Message-ID", "message-id"]]) {
    if (header(name)) summary.append(element("dt", {}, label), element("dd", {}, header(name)));
  }
  const title = element("h3", {}, message.subject || "(no subject)");
  const content = [title, summary];
  if (message.has_html) {
    content.push(element("iframe", { title: "HTML of the message", sandbox: "", referrerpolicy: "no-referrer", src: base + "/html" }));
    content.push(element("details", {}, element("summary", {}, "As text"), element("pre", {}, message.text)));
  } else {
    content.push(element("pre", {}, message.text || "(no text)"));
  }
  if (message.attachments.length > 0) {
    const list = element("ul", {});
    for (const one of message.attachments) {
      const name = one.name || "attachment-" + (one.number + 1);
      const link = element("a", { href: base + "/attachments/" + one.number, download: name }, name);
      list.append(element("li", {}, link, ` (${one.content_type || "unknown type"}, ${one.size.toLocaleString("en")} bytes)`));
    }
    content.push(element("h4", {}, "Attachments"), list);
  }
  const lines = message.headers.map((one) => one.name + ": " + one.value).join("\n");
  content.push(element("details", {}, element("summary", {}, `All ${message.headers.length} headers`), element("pre", {}, lines)));
  content.push(element("p", {}, element("a", { href: base + "/mime", download: "message.eml" }, "Save the raw message")));
  place.replaceChildren(...content);
  // Side by side, the list stays where it is.
  place.focus({ preventScroll: window.innerWidth > 900 });
}

let messages = [];

async function loadMailboxes() {
  const { mailboxes } = await ask("GET", "/mailboxes");
  const values = mailboxes.map((one) => ({ ...one, value: one.address }));
  for (const select of [byId("mailbox"), byId("new-to")]) options(select, values, (one) => one.address);
}

async function loadMail() {
  const address = byId("mailbox").value;
  if (!address) return;
  const [folders, list] = await Promise.all([
    ask("GET", `/mailboxes/${part(address)}/folders`),
    ask("GET", `/mailboxes/${part(address)}/messages`),
  ]);
  messages = list.messages;
  const values = [{ value: "", label: `All (${messages.length})` }];
  for (const one of folders.folders) {
    const indent = "\u2003".repeat(one.path.length - 1);
    values.push({ value: one.name, label: `${indent}${one.name} (${one.total}${one.unread ? `, ${one.unread} unread` : ""})` });
  }
  options(byId("folder"), values, (one) => one.label);
  showFolder();
}

function showFolder() {
  const folder = byId("folder").value;
  const address = byId("mailbox").value;
  const chosen = messages.filter((one) => !folder || one.folder === folder);
  byId("mail-caption").textContent = counted(chosen.length, "message");
  fill(byId("messages"), byId("mail-more"), chosen, (one) => {
    const base = `/mailboxes/${part(address)}/messages/${part(one.id)}`;
    const line = row([
      { class: "word", text: one.is_draft ? "draft" : one.is_read ? "read" : "unread" },
      one.from,
      element("button", { type: "button", onclick: doing(async () => {
        choose(line);
        await showMessage(byId("message"), base, base);
      }) }, one.subject || "(no subject)"),
      time(new Date(one.received * 1000).toISOString()),
    ]);
    if (!one.is_read) line.className = "unread";
    return line;
  });
}

async function loadOutside() {
  const { mails } = await ask("GET", "/outside");
  mails.reverse();
  byId("outside-caption").textContent = counted(mails.length, "mail");
  fill(byId("outside-mails"), byId("outside-more"), mails, (one) => {
    const line = row([
      one.seq,
      one.mail_from || "(bounce)",
      one.recipients.join(", "),
      element("button", { type: "button", onclick: doing(async () => {
        choose(line);
        await showMessage(byId("outside-message"), `/outside/${one.seq}/message`, `/outside/${one.seq}`);
        byId("reply").hidden = false;
        byId("reply").dataset.seq = one.seq;
        options(byId("reply-as"), one.recipients.map((value) => ({ value })), (who) => who.value);
      }) }, one.subject || "(no subject)"),
      time(one.sent_at),
    ]);
    return line;
  });
}

async function loadRequests() {
  const [report, last] = await Promise.all([ask("GET", "/requests"), ask("GET", "/requests/recent?limit=200")]);
  const total = report.total;
  byId("requests-total").textContent =
    `${total.over_the_wire} requests came over the wire, ${total.evaluated} were evaluated with the parts of batches; ` +
    `${total.request_bytes.toLocaleString("en")} bytes came, ${total.response_bytes.toLocaleString("en")} bytes were answered.`;
  byId("recent").replaceChildren(...last.requests.map((one) => row([
    time(one.at), one.status === null ? "broken" : one.status, one.method + (one.in_batch ? " (batch)" : ""), one.path,
    one.mailbox, one.application, { class: "number", text: one.milliseconds.toFixed(1) }, number(one.request_bytes), number(one.response_bytes),
  ])));
  const routes = report.routes.slice().sort((left, right) => right.requests - left.requests).slice(0, 500);
  byId("routes").replaceChildren(...routes.map((one) => row([
    one.method, one.route, one.mailbox, number(one.requests), number(one.in_batch), number(one.request_bytes), number(one.response_bytes),
    Object.entries(one.statuses).map(([status, count]) => `${status}: ${count}`).concat(one.broken ? [`broken: ${one.broken}`] : []).join(", "),
  ])));
}

function inWords(object) {
  return Object.entries(object).map(([key, value]) => `${key.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

async function loadFaults() {
  const { faults } = await ask("GET", "/faults");
  byId("rules").replaceChildren(...faults.map((one) => {
    const { action: { kind, ...parameters }, name, ...conditions } = one.rule;
    const happens = { kind, ...parameters };
    for (const usual of ["nth", "every"]) if (conditions[usual] === 1) delete conditions[usual];
    return row([
      name ? `${one.id} ${name}` : one.id, inWords(happens), inWords(conditions), number(one.matches), number(one.hits),
      element("button", { type: "button", "aria-label": `Remove rule ${one.id}`, onclick: doing(async () => {
        await ask("DELETE", `/faults/${one.id}`);
        await loadFaults();
        return `Rule ${one.id} is gone.`;
      }) }, "Remove"),
    ]);
  }));
}

function orderedFault() {
  const kind = byId("fault-kind").value;
  const amount = Number(byId("fault-amount").value);
  const status = Number(byId("fault-status").value);
  const action = { kind };
  if (kind === "status") {
    action.status = status;
    if (byId("fault-retry").value !== "") action.retry_after = Number(byId("fault-retry").value);
  }
  if (kind === "gateway_page") action.status = status;
  if (kind === "latency") action.milliseconds = amount;
  if (kind === "drip") action.bytes_per_second = amount;
  const rule = { action, nth: Number(byId("fault-nth").value), times: Number(byId("fault-times").value) };
  const conditions = [["path_contains", "fault-path"], ["method", "fault-method"], ["mailbox", "fault-mailbox"]];
  for (const [key, id] of conditions) if (byId(id).value.trim()) rule[key] = byId(id).value.trim();
  if (byId("fault-chance").value !== "") rule.probability = Number(byId("fault-chance").value);
  return rule;
}

let frozen = false;

async function loadClock(document) {
  const clock = document || await ask("GET", "/clock");
  frozen = clock.frozen;
  const now = time(clock.now).text;
  byId("clock-now").textContent = `${now} UTC${frozen ? ", stopped" : ""}`;
  byId("clock-state").textContent = `The tenant's clock shows ${now} UTC and ${frozen ? "stands still" : "goes on"}.`;
  byId("clock-freeze").textContent = frozen ? "Let the clock go on" : "Stop the clock";
}

const loads = { mail: loadMail, outside: loadOutside, compose: loadMailboxes, requests: loadRequests, faults: loadFaults, clock: loadClock };

function show() {
  const wanted = location.hash.slice(1) in loads ? location.hash.slice(1) : "mail";
  for (const id of Object.keys(loads)) byId(id).hidden = id !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === "#" + wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  doing(async () => { await loads[wanted](); await loadClock(); })();
}

async function moveClock(change) {
  await loadClock(await ask("POST", "/clock", change));
}

byId("mailbox").addEventListener("change", doing(loadMail));
byId("folder").addEventListener("change", showFolder);
byId("mail-reload").addEventListener("click", doing(async () => { await loadMailboxes(); await loadMail(); }, "Reloaded."));
byId("outside-reload").addEventListener("click", doing(loadOutside, "Reloaded."));
byId("requests-reload").addEventListener("click", doing(loadRequests, "Reloaded."));
byId("requests-clear").addEventListener("click", doing(async () => { await ask("DELETE", "/requests"); await loadRequests(); }, "Counting anew."));
byId("reply").addEventListener("submit", doing(async () => {
  const path = `/outside/${part(byId("reply-as").value)}/reply/${byId("reply").dataset.seq}`;
  const { delivered } = await ask("POST", path, { text: byId("reply-text").value });
  byId("reply-text").value = "";
  return `The answer is in ${delivered.map((one) => one.address).join(", ")}.`;
}));
byId("new-mail").addEventListener("submit", doing(async () => {
  const mail = { from: byId("new-from").value, to: [byId("new-to").value], subject: byId("new-subject").value, text: byId("new-text").value };
  const { delivered } = await ask("POST", "/outside/compose", mail);
  byId("new-subject").value = "";
  byId("new-text").value = "";
  return `The mail is in ${delivered.map((one) => one.address).join(", ")}.`;
}));
byId("new-fault").addEventListener("submit", doing(async () => {
  const { id } = await ask("POST", "/faults", orderedFault());
  await loadFaults();
  return `Rule ${id} stands.`;
}));
byId("clock-advance").addEventListener("submit", doing(() => moveClock({ advance_seconds: Number(byId("clock-seconds").value) }), "The clock was moved."));
byId("clock-set").addEventListener("submit", doing(() => moveClock({ set: byId("clock-at").value.trim() }), "The clock was set."));
byId("clock-freeze").addEventListener("click", doing(() => moveClock({ frozen: !frozen }), "Done."));
window.addEventListener("hashchange", show);
doing(async () => {
  const state = await ask("GET", "/state");
  byId("tenant").textContent = state.tenant_domain;
  document.title = "Sandbox " + state.tenant_domain;
  await loadMailboxes();
  show();
})();
