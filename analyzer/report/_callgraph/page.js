// SPDX-License-Identifier: GPL-2.0-only
"use strict";
// The call graph's page. All that comes from the data gets into the document as text nodes and attributes, never as
// markup. Rows are made when their parent is unfolded, a batch at a time.
(() => {
	const N_MATCHES = 50;
	const N_ROWS = 100;
	const element = (id) => document.getElementById(id);

	const data = JSON.parse(element("data").textContent);
	const word = (number) => data.words[number];
	const functions = data.functions.map(([id, name, file, line, defined]) => ({
		id, name, defined: defined === 1, place: line ? `${word(file)}:${line}` : "",
		key: id.toLowerCase(), lowerName: name.toLowerCase(),
		callers: new Map(), callees: new Map(), unresolved: [],
	}));
	const byId = new Map(functions.map((known) => [known.id, known]));
	for (const [from, to, kind, via, file, line] of data.edges) {
		const caller = functions[from], callee = functions[to];
		const call = { kind: word(kind), via: word(via), place: `${word(file)}:${line}`, line };
		for (const [side, other] of [[caller.callees, callee], [callee.callers, caller]]) {
			if (side.has(other)) side.get(other).push(call);
			else side.set(other, [call]);
		}
	}
	for (const [caller, file, line, expression, cause] of data.unresolved) {
		functions[caller].unresolved.push({ place: `${word(file)}:${line}`, expression: word(expression), cause: word(cause) });
	}

	function make(tag, properties = {}, ...children) {
		const made = document.createElement(tag);
		for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
		made.append(...children);
		return made;
	}
	const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
	const address = (known) => `#${encodeURIComponent(known.id)}`;

	// --- search

	const query = element("query"), list = element("matches");
	let matches = [], chosen = -1;

	function rank(known, text) {
		if (known.lowerName === text) return 0;
		if (known.lowerName.startsWith(text)) return 1;
		if (known.lowerName.includes(text)) return 2;
		return known.key.includes(text) ? 3 : 4;
	}

	function search() {
		const text = query.value.trim().toLowerCase().replace(/\(\)$/, "");
		const found = [[], [], [], []];
		if (text) for (const known of functions) found[rank(known, text)]?.push(known);
		const all = found.map((group) => group.sort(before)).flat();
		matches = all.slice(0, N_MATCHES);
		list.replaceChildren(...matches.map((known, index) => make("li", { role: "option", id: `match-${index}` },
			make("span", { class: known.defined ? "name" : "name declared" }, known.name), " ",
			make("span", { class: "place" }, known.place))));
		const more = all.length > N_MATCHES ? `, the first ${N_MATCHES} shown` : "";
		element("found").textContent = text ? counted(all.length, "function") + more : "";
		show(matches.length > 0);
		choose(matches.length ? 0 : -1);
	}

	// what is defined first, then by name and file: text order that does not depend on the reader's language
	const before = (a, b) => (b.defined - a.defined) || compare(a.name, b.name) || compare(a.id, b.id);
	const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

	function show(open) {
		list.hidden = !open;
		query.setAttribute("aria-expanded", String(open));
	}

	function choose(index) {
		list.querySelector("[aria-selected=true]")?.removeAttribute("aria-selected");
		chosen = index;
		const option = list.children[index];
		if (!option) return query.removeAttribute("aria-activedescendant");
		option.setAttribute("aria-selected", "true");
		query.setAttribute("aria-activedescendant", option.id);
		option.scrollIntoView({ block: "nearest" });
	}

	function take(index) {
		const known = matches[index];
		if (!known) return;
		show(false);
		go(known);
	}

	query.addEventListener("input", search);
	query.addEventListener("keydown", (event) => {
		if (event.key === "ArrowDown" && list.hidden && matches.length) show(true);
		else if (event.key === "ArrowDown") choose(Math.min(chosen + 1, matches.length - 1));
		else if (event.key === "ArrowUp") choose(Math.max(chosen - 1, 0));
		else if (event.key === "Enter") take(chosen);
		else if (event.key === "Escape") show(false);
		else return;
		event.preventDefault();
	});
	query.addEventListener("blur", () => show(false));
	// before the field loses the focus, and the list with it
	list.addEventListener("mousedown", (event) => {
		event.preventDefault();
		take([...list.children].indexOf(event.target.closest("li")));
	});
	document.addEventListener("keydown", (event) => {
		if (event.key !== "/" || event.target === query || event.ctrlKey || event.altKey || event.metaKey) return;
		event.preventDefault();
		query.focus();
		query.select();
	});

	// --- one function

	function go(known) {
		if (location.hash === address(known)) visit();
		else location.hash = address(known);
	}

	function visit() {
		let id = "";
		try { id = decodeURIComponent(location.hash.slice(1)); } catch { /* no id of ours */ }
		const known = byId.get(id);
		element("function").hidden = !known;
		element("hint").hidden = Boolean(known);
		element("hint").textContent = id && !known
			? `${id}: no such function`
			: `${counted(functions.length, "function")}, ${counted(data.edges.length, "call")}. Type a part of a name.`;
		document.title = known ? `${known.name} - call graph` : "Call graph";
		if (!known) return;
		element("name").textContent = `${known.name}()`;
		element("place").textContent = [known.place, known.defined ? "" : "only declared"].filter(Boolean).join(", ");
		for (const side of ["callers", "callees"]) {
			const noun = side === "callers" ? "caller" : "callee";
			element(`${side}-title`).textContent = counted(known[side].size, noun);
			const tree = element(side);
			tree.replaceChildren();
			fill(tree, known, side, [known]);
			if (tree.firstElementChild) tree.firstElementChild.tabIndex = 0;
		}
		showUnresolved(known);
		(element("callees").firstElementChild || element("callers").firstElementChild || query).focus();
	}

	function showUnresolved(known) {
		const section = element("unresolved");
		section.hidden = !known.unresolved.length;
		element("unresolved-title").textContent = `${counted(known.unresolved.length, "call")} without a target of ${known.unresolved.length === 1 ? "its" : "their"} own`;
		section.querySelector("ul").replaceChildren(...known.unresolved.map((site) => make("li", {},
			make("span", { class: "place" }, site.place), " ", make("code", {}, site.expression), ` ${site.cause}`)));
	}

	// --- trees

	// item -> what unfolds it: {known, side, way}; or {more}: a function that makes the next rows
	const behind = new WeakMap();

	function fill(parent, known, side, way, start = 0) {
		const neighbours = [...known[side]];
		// a function's calls all stand in its file: callees in the order of the source
		if (side === "callees") neighbours.sort(([, a], [, b]) => a[0].line - b[0].line);
		const batch = neighbours.slice(start, start + N_ROWS);
		parent.append(...batch.map(([other, calls]) => row(other, calls, side, way)));
		const left = neighbours.length - start - batch.length;
		if (left > 0) parent.append(more(left, () => fill(parent, known, side, way, start + N_ROWS)));
	}

	function row(known, calls, side, way) {
		const again = way.includes(known);
		const name = make("a", { class: known.defined ? "name" : "name declared", href: address(known), tabindex: "-1" }, known.name);
		const line = make("div", { class: "row" }, name);
		for (const kind of new Set(calls.map((call) => call.kind))) {
			const tag = make("span", { class: "kind" }, kind);
			if (/^\w+$/.test(kind)) tag.classList.add(kind);
			line.append(tag);
		}
		if (again) line.append(make("span", { class: "none" }, "recursive"));
		line.append(calls.length === 1 ? site(calls[0]) : sites(calls));
		const item = make("li", { role: "treeitem", tabindex: "-1", "aria-level": String(way.length) }, line);
		item.setAttribute("aria-label", `${known.name}, ${counted(calls.length, "call")}`);
		if (known[side].size && !again) item.setAttribute("aria-expanded", "false");
		behind.set(item, { known, side, way: [...way, known] });
		return item;
	}

	function site(call) {
		return make("span", {}, make("span", { class: "place" }, call.place),
			...(call.via ? [" ", make("span", { class: "via" }, `through ${call.via}`)] : []));
	}

	function sites(calls) {
		const details = make("details", { class: "sites" }, make("summary", {}, `${counted(calls.length, "call")}, the first at ${calls[0].place}`));
		details.addEventListener("toggle", () => {
			if (details.children.length === 1) details.append(make("ul", {}, ...calls.map((call) => make("li", {}, site(call), ` ${call.kind}`))));
		});
		return details;
	}

	function more(left, next) {
		const item = make("li", { role: "treeitem", tabindex: "-1" }, make("div", { class: "row none" }, `${counted(left, "more function")}: show ${Math.min(left, N_ROWS)}`));
		behind.set(item, { more: next });
		return item;
	}

	function unfold(item) {
		const what = behind.get(item);
		if (what.more) {
			const previous = item.previousElementSibling;
			item.remove();
			what.more();
			focus(previous.nextElementSibling);
		} else if (item.getAttribute("aria-expanded") === "false") {
			item.setAttribute("aria-expanded", "true");
			let group = item.querySelector(":scope > ul[role=group]");
			if (!group) {
				group = make("ul", { role: "group" });
				fill(group, what.known, what.side, what.way);
				item.append(group);
			}
			group.hidden = false;
		}
	}

	function fold(item) {
		item.setAttribute("aria-expanded", "false");
		item.querySelector(":scope > ul[role=group]").hidden = true;
	}

	function focus(item) {
		if (!item) return;
		for (const old of item.closest("[role=tree]").querySelectorAll("[tabindex='0']")) old.tabIndex = -1;
		item.tabIndex = 0;
		item.focus();
	}

	function visible(tree) {
		return [...tree.querySelectorAll("[role=treeitem]")].filter((item) => !item.parentElement.closest("ul[hidden]"));
	}

	function press(item, key) {
		const expanded = item.getAttribute("aria-expanded");
		const items = visible(item.closest("[role=tree]"));
		switch (key) {
			case "ArrowDown": focus(items[items.indexOf(item) + 1]); return true;
			case "ArrowUp": focus(items[items.indexOf(item) - 1]); return true;
			case "Home": focus(items[0]); return true;
			case "End": focus(items[items.length - 1]); return true;
			case "ArrowRight":
				if (expanded === "true") focus(item.querySelector("[role=treeitem]"));
				else unfold(item);
				return true;
			case "ArrowLeft":
				if (expanded === "true") fold(item);
				else focus(item.parentElement.closest("[role=treeitem]"));
				return true;
			case "Enter":
				if (behind.get(item).more) unfold(item);
				else go(behind.get(item).known);
				return true;
		}
		return false;
	}

	for (const tree of [element("callers"), element("callees")]) {
		tree.addEventListener("keydown", (event) => {
			// a list of sites has keys of its own
			if (event.target.getAttribute("role") !== "treeitem" || event.ctrlKey || event.altKey || event.metaKey) return;
			if (press(event.target, event.key)) event.preventDefault();
		});
		tree.addEventListener("click", (event) => {
			if (event.target.closest("a, details")) return;
			const item = event.target.closest("[role=treeitem]");
			if (!item || !event.target.closest(".row")) return;
			focus(item);
			if (item.getAttribute("aria-expanded") === "true") fold(item);
			else unfold(item);
		});
	}

	addEventListener("hashchange", visit);
	visit();
	if (element("function").hidden) query.focus();
})();
