// SPDX-License-Identifier: GPL-2.0-only
"use strict";
// The report's page. All that comes from the data gets into the document as text nodes and attributes, never as markup.
// Rows are made when their group is unfolded, a batch at a time, and a finding's way when the finding is unfolded.
(() => {
	const N_ROWS = 100;
	const N_LANES = 8;
	const VERDICTS = ["violation", "unknown", "accepted", "pre-existing", "fixed"];
	const element = (id) => document.getElementById(id);
	const data = JSON.parse(element("data").textContent);
	const word = (number) => data.words[number];
	const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;

	function make(tag, properties = {}, ...children) {
		const made = document.createElement(tag);
		for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
		made.append(...children);
		return made;
	}

	function draw(tag, properties = {}, ...children) {
		const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
		for (const [name, value] of Object.entries(properties)) made.setAttribute(name, String(value));
		made.append(...children);
		return made;
	}

	for (const finding of data.findings) {
		finding.place = `${word(finding.file)}:${finding.line}${finding.column ? `:${finding.column}` : ""}`;
		finding.key = [word(finding.rule), finding.place, finding.message, finding.object, finding.fingerprint, word(finding.function),
			...new Set(finding.steps.map((step) => word(step.function)))].join("\n").toLowerCase();
	}

	// --- folding: a button with aria-expanded, and what it shows, made when it is first shown

	// button -> {what, fill}
	const folds = new WeakMap();

	function fold(properties, children, what, fill) {
		const button = make("button", { type: "button", "aria-expanded": "false", ...properties }, ...children);
		folds.set(button, { what, fill });
		what.hidden = true;
		button.addEventListener("click", () => set(button, !isOpen(button)));
		return button;
	}

	const isOpen = (button) => button.getAttribute("aria-expanded") === "true";

	function set(button, open) {
		const known = folds.get(button);
		if (open && known.fill) {
			known.fill(known.what);
			known.fill = null;
		}
		known.what.hidden = !open;
		button.setAttribute("aria-expanded", String(open));
	}

	function inBatches(parent, things, row, start = 0) {
		parent.append(...things.slice(start, start + N_ROWS).map(row));
		const left = things.length - start - N_ROWS;
		if (left <= 0) return;
		const more = make("button", { type: "button", class: "more" }, `${left.toLocaleString("en")} more: show ${Math.min(left, N_ROWS)}`);
		const holder = make(parent.tagName === "TBODY" ? "tr" : "li", {}, parent.tagName === "TBODY" ? make("td", { colspan: "3" }, more) : more);
		more.addEventListener("click", () => {
			holder.remove();
			inBatches(parent, things, row, start + N_ROWS);
			(parent.children[start + N_ROWS].querySelector("button") || parent.children[start + N_ROWS]).focus();
		});
		parent.append(holder);
	}

	// --- findings

	const query = element("query");
	const isShown = (verdict) => element(`show-${verdict}`)?.checked ?? true;
	const grouping = () => document.querySelector("[name=grouping]:checked").value;

	function list() {
		const text = query.value.trim().toLowerCase();
		const found = data.findings.filter((finding) => isShown(finding.verdict) && finding.key.includes(text));
		const by = grouping();
		const groups = new Map();
		for (const finding of found) {
			const name = word(by === "rule" ? finding.rule : finding.file);
			if (groups.has(name)) groups.get(name).push(finding);
			else groups.set(name, [finding]);
		}
		element("found").textContent = counted(found.length, "finding");
		element("findings").replaceChildren(...[...groups].map(([name, findings]) => group(name, findings, groups.size === 1 || text !== "")));
		if (!found.length) element("findings").append(make("p", {}, data.findings.length ? "Nothing matches." : "There is nothing to report."));
	}

	function group(name, findings, open) {
		const rows = make("ul");
		const numbers = VERDICTS.map((verdict) => [verdict, findings.filter((finding) => finding.verdict === verdict).length]);
		const told = numbers.filter(([, number]) => number).map(([verdict, number]) => verdict === "violation" ? counted(number, verdict) : `${number.toLocaleString("en")} ${verdict}`);
		const button = fold({}, [name, " ", make("span", { class: "faint" }, told.join(", "))], rows, () => inBatches(rows, findings, row));
		if (open || findings.length <= 20) set(button, true);
		return make("section", { class: "group" }, make("h3", {}, button), rows);
	}

	function row(finding) {
		const body = make("div", { class: "body" });
		const verdict = finding.verdict === "violation" ? finding.severity : finding.verdict;
		const other = grouping() === "rule" ? "" : `[${word(finding.rule)}]`;
		const button = fold({ class: "head" }, [
			make("span", { class: "verdict" }, verdict), " ", make("span", { class: "message" }, finding.message), " ",
			make("span", { class: "place" }, `${finding.place} in ${word(finding.function)}() ${other}`),
		], body, () => fill(body, finding));
		return make("li", { class: `finding ${finding.verdict} ${finding.severity}` }, button, body);
	}

	function fill(body, finding) {
		const told = make("dl");
		const tell = (label, ...values) => told.append(make("dt", {}, label), make("dd", {}, ...values));
		if (finding.reason) tell("accepted", finding.reason);
		if (finding.requires.length) tell("needs", finding.requires.join(", "));
		tell("holds", finding.held.join(", ") || "nothing");
		if (finding.cause) tell("because", finding.cause);
		tell("rule", finding.why || word(finding.rule), make("div", { class: "place" }, [finding.written, finding.source && `after ${finding.source}`].filter(Boolean).join(", ")));
		tell("identity", make("span", { class: "place" }, finding.fingerprint));
		body.append(told);
		if (finding.steps.length) body.append(way(finding));
	}

	// --- the way: steps in steps, code with lanes

	function way(finding) {
		const next = make("button", { type: "button", class: "next" }, "Next call");
		const all = make("button", { type: "button", class: "all" }, "All calls");
		const none = make("button", { type: "button", class: "none" }, "Fold");
		const path = make("div", { class: "path" });
		const threads = new Map();
		for (const step of finding.steps) {
			if (threads.has(step.thread)) threads.get(step.thread).push(step);
			else threads.set(step.thread, [step]);
		}
		for (const [thread, steps] of threads) {
			const section = make("div", { class: "thread" });
			if (threads.size > 1) section.append(make("h4", {}, threadName(thread)));
			section.append(nested(steps, finding));
			path.append(section);
		}
		const left = make("div", {}, make("div", { class: "tools" }, next, all, none), legend(finding), path);
		const buttons = () => [...path.querySelectorAll("button.told")];
		next.addEventListener("click", () => unfoldNext(path));
		all.addEventListener("click", () => buttons().forEach((button) => set(button, true)));
		none.addEventListener("click", () => buttons().forEach((button) => set(button, false)));
		return make("div", { class: "way" }, left, picture(finding, threads));
	}

	const threadName = (thread) => `thread ${thread < 26 ? String.fromCharCode(65 + thread) : thread + 1}`;

	function unfoldNext(path) {
		const button = [...path.querySelectorAll("button.told")].find((one) => !isOpen(one));
		if (!button) return;
		set(button, true);
		(folds.get(button).what.querySelector("button.told") || button).focus();
	}

	// what is deeper than a step and follows it stands in it
	function nested(steps, finding) {
		const items = make("ul");
		for (let index = 0; index < steps.length;) {
			const step = steps[index];
			let end = index + 1;
			while (end < steps.length && steps[end].depth > step.depth) end += 1;
			items.append(item(step, steps.slice(index + 1, end), finding));
			index = end;
		}
		return items;
	}

	function item(step, inner, finding) {
		const made = make("li", { class: `step ${step.event}` });
		const last = step.event === "access" && step.line === finding.line && step.file === finding.file;
		for (const [number, text] of step.lines) made.append(line(number, text, step, finding, number === step.line, last));
		const subject = step.event === "entry" ? "" : `${word(step.function)}() `;
		const told = [make("span", { class: "place" }, `${word(step.file)}:${step.line} `), subject + step.text];
		const lanes = lanesOf(finding, step.held, step.held, []);
		if (inner.length) {
			const group = nested(inner, finding);
			made.append(make("div", { class: "line" }, lanes, indent(step), fold({ class: "told" }, told, group)), group);
		} else {
			made.append(make("div", { class: "line" }, lanes, indent(step), make("span", { class: "told" }, ...told)));
		}
		for (const [number, text] of step.after) made.append(line(number, text, { ...step, before: step.held }, finding, false, false));
		return made;
	}

	const indent = (step) => make("span", { class: `indent d${Math.min(step.depth, 12)}` });

	function line(number, text, step, finding, here, last) {
		const code = make("code");
		if (here && last && finding.mark.length) {
			const [start, end] = finding.mark;
			code.append(text.slice(0, start), make("mark", {}, text.slice(start, end)), text.slice(end));
		} else {
			code.append(text);
		}
		const lanes = lanesOf(finding, step.before, here ? step.held : step.before, here && last ? finding.needed : []);
		return make("div", { class: `line${here ? " here" : ""}${here && last ? " last" : ""}` }, lanes, indent(step),
			make("span", { class: "number" }, String(number)), code);
	}

	// one lane for each lock: what is held before a line, what after it, and what it needs
	function lanesOf(finding, before, after, needed) {
		return make("span", { class: "lanes" }, ...finding.lanes.map((name, lane) => {
			const was = before.includes(lane), is = after.includes(lane);
			const state = was && is ? "held" : is ? "begin" : was ? "end" : needed.includes(lane) ? "missing" : "";
			const told = { held: "held", begin: "taken", end: "dropped", missing: "missing" }[state];
			return make("span", { class: `lane l${lane % N_LANES} ${state}`, ...(told ? { title: `${name}: ${told}` } : {}) });
		}));
	}

	function legend(finding) {
		const ever = new Set(finding.steps.flatMap((step) => [...step.before, ...step.held]));
		return make("div", { class: "legend" }, ...finding.lanes.map((name, lane) => make("span", {},
			make("span", { class: `lane l${lane % N_LANES} ${ever.has(lane) ? "held" : "missing"}` }),
			ever.has(lane) ? name : `${name} (missing)`)));
	}

	// --- the picture: a box for each function that runs, threads side by side

	function picture(finding, threads) {
		const HEIGHT = 44, STEP = 16, CHARACTER = 7.3, N_CHARACTERS = 34;
		const svg = draw("svg", { role: "img" });
		svg.append(draw("title", {}, `Calls on the way to ${word(finding.function)}()`));
		let left = 4, bottom = 0;
		for (const [thread, steps] of threads) {
			let top = 6, right = left;
			if (threads.size > 1) {
				svg.append(draw("text", { x: left, y: top + 10, class: "small" }, threadName(thread)));
				top += 18;
			}
			for (const box of boxes(steps, finding)) {
				const name = word(box.step.function);
				const shown = `${name.length > N_CHARACTERS ? `${name.slice(0, N_CHARACTERS - 1)}…` : name}()`;
				box.x = left + Math.min(box.depth, 10) * STEP;
				box.y = top + box.index * HEIGHT;
				const width = shown.length * CHARACTER + 14;
				if (box.from) {
					const x = box.from.x + 8, y = box.y + 12;
					svg.append(draw("path", { class: "edge", d: `M${x},${box.from.y + 24} V${y} H${box.x - 1}` }));
					svg.append(draw("path", { class: "arrow", d: `M${box.x},${y} l-6,-3.5 v7 z` }));
					svg.append(draw("text", { class: "small", x: x + 3, y: y - 14 }, `line ${box.call.line}`));
				}
				svg.append(draw("rect", { class: box.place ? "node place" : "node", x: box.x, y: box.y, width, height: 24, rx: 4 }));
				svg.append(draw("text", { x: box.x + 7, y: box.y + 16 }, shown));
				box.locks.forEach(({ lane, taken }, index) => {
					const x = box.x + width + 8 + index * 16, y = box.y + 12;
					const mark = draw("path", { class: `lock l${lane % N_LANES}`, d: taken ? `M${x},${y} h10 M${x + 5},${y - 5} v10` : `M${x},${y} h10` });
					mark.append(draw("title", {}, `${taken ? "takes" : "drops"} ${finding.lanes[lane]}`));
					svg.append(mark);
				});
				right = Math.max(right, box.x + width + 8 + box.locks.length * 16);
				bottom = Math.max(bottom, box.y + 32);
			}
			left = right + 24;
		}
		svg.setAttribute("viewBox", `0 0 ${left} ${bottom}`);
		svg.setAttribute("width", String(left));
		return svg;
	}

	function boxes(steps, finding) {
		const running = [], made = [];
		let previous = null;
		for (const step of steps) {
			running.length = Math.min(running.length, step.depth + 1);
			let box = running[step.depth];
			if (!box || box.step.function !== step.function) {
				const from = running.slice(0, step.depth).findLast(Boolean);
				box = { step, depth: step.depth, index: made.length, from, call: previous, locks: [], place: false };
				running[step.depth] = box;
				made.push(box);
			}
			for (const lane of finding.lanes.keys()) {
				const before = step.before.includes(lane), after = step.held.includes(lane);
				if (before !== after && step.event !== "entry") box.locks.push({ lane, taken: after });
			}
			if (step.file === finding.file && step.line === finding.line && word(step.function) === word(finding.function)) box.place = true;
			previous = step;
		}
		return made;
	}

	// --- rules, gaps, numbers

	function rule(known) {
		const [sites, proven, violations, unknown] = known.counts;
		const bar = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img" });
		bar.append(draw("title", {}, `${proven} proven, ${violations} violations, ${unknown} unknown`));
		let x = 0;
		for (const [number, name] of [[proven, "proven"], [violations, "violation"], [unknown, "unknown"]]) {
			const width = sites ? 100 * number / sites : 0;
			if (width) bar.append(draw("rect", { class: name, x, y: 0, width, height: 10 }));
			x += width;
		}
		if (!sites) bar.append(draw("rect", { class: "none", x: 0, y: 4, width: 100, height: 2 }));
		const why = [known.title || known.why, known.place, known.source && `after ${known.source}`].filter(Boolean).join(" · ");
		const number = (value) => make("td", { class: "number" }, value.toLocaleString("en"));
		return make("tr", {}, make("td", { class: "id" }, known.id, make("div", { class: "why" }, why)),
			make("td", { class: "bar" }, bar, make("span", { class: "faint" }, sites ? counted(sites, known.noun) : `no ${known.noun} in these units`)),
			number(proven), number(violations), number(unknown));
	}

	function assumed() {
		const rows = data.assumed || [];
		element("assumed").hidden = !rows.length;
		element("assumed").querySelector("ul").append(...rows.map(([id, text, places, noun, why, place]) =>
			make("li", {}, `${text} (${counted(places, noun)}) `, make("span", { class: "place" }, id),
				make("div", { class: "why" }, `${why} · ${place}`))));
	}

	function gaps() {
		const kinds = new Map();
		for (const gap of data.gaps) {
			if (kinds.has(gap[0])) kinds.get(gap[0]).push(gap);
			else kinds.set(gap[0], [gap]);
		}
		element("gaps").querySelector("p").textContent = data.gaps.length
			? `${counted(data.gaps.length, "place")} in the input that lockspec did not understand; verdicts that depend on them are unknown.`
			: "Everything in the input was understood.";
		const ordered = [...kinds].sort(([, a], [, b]) => b.length - a.length);
		element("gaps").querySelector("div").append(...ordered.map(([kind, of]) => {
			const rows = make("ul");
			const button = fold({}, [kind, " ", make("span", { class: "faint" }, of.length.toLocaleString("en"))], rows, () => inBatches(rows, of,
				([, place, text]) => make("li", {}, make("span", { class: "place" }, place), ` ${text}`)));
			return make("section", { class: "group" }, make("h3", {}, button), rows);
		}));
	}

	function summary() {
		const numbers = new Map(VERDICTS.map((verdict) => [verdict, data.findings.filter((finding) => finding.verdict === verdict).length]));
		const told = [counted(numbers.get("violation"), "violation"), `${numbers.get("unknown").toLocaleString("en")} unknown`];
		if (numbers.get("accepted")) told.push(`${numbers.get("accepted").toLocaleString("en")} accepted by the baseline`);
		const [units, failed] = data.units, [functions, skipped] = data.functions;
		const looked = `${counted(units, "unit")} (${failed.toLocaleString("en")} failed) and ${counted(functions, "function")} (${skipped.toLocaleString("en")} skipped) analysed`;
		element("summary").append(make("strong", {}, told.join(", ")), `; ${looked}.`);
		if (data.compared) element("summary").append(" ", data.compared);
		if (data.revision) element("summary").append(" ", make("span", { class: "place" }, data.revision));
		element("made").textContent = `Made by lockspec ${data.version}. This page loads nothing from anywhere.`;
		document.title = `${told[0]} - lockspec`;
		const choices = VERDICTS.filter((verdict) => numbers.get(verdict));
		element("verdicts").hidden = choices.length < 2;
		for (const verdict of choices) {
			const box = make("input", { type: "checkbox", id: `show-${verdict}` });
			box.checked = true;
			box.addEventListener("change", list);
			element("verdicts").append(make("label", {}, box, ` ${verdict}`));
		}
	}

	// --- keys

	const stops = () => [...document.querySelectorAll("main button[aria-expanded], main button.more")].filter((button) => button.checkVisibility());

	function press(event) {
		const button = document.activeElement;
		const path = button.closest(".finding")?.querySelector(".path");
		if (event.key === "n" && path) return unfoldNext(path), true;
		if (event.key === "a" && path) return path.querySelectorAll("button.told").forEach((one) => set(one, true)), true;
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			const all = stops(), at = all.indexOf(button);
			const to = at < 0 ? all[0] : all[at + (event.key === "ArrowDown" ? 1 : -1)];
			to?.focus();
			to?.scrollIntoView({ block: "nearest" });
			return true;
		}
		if (!folds.has(button)) return false;
		if (event.key === "ArrowRight") return set(button, true), true;
		if (event.key === "ArrowLeft") {
			if (isOpen(button)) set(button, false);
			else button.closest(".step > ul, .body, .group > ul")?.parentElement.querySelector("button[aria-expanded]")?.focus();
			return true;
		}
		return false;
	}

	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey) return;
		const typing = event.target === query || event.target.matches("input[type=radio]");
		if (event.key === "Escape" && event.target === query) {
			query.value = "";
			list();
		} else if (event.key === "ArrowDown" && event.target === query) {
			stops()[0]?.focus();
		} else if (event.key === "/" && !typing) {
			query.focus();
			query.select();
		} else if (typing || !press(event)) {
			return;
		}
		event.preventDefault();
	});

	// on paper nothing can be unfolded
	addEventListener("beforeprint", () => {
		let folded;
		while ((folded = [...document.querySelectorAll("main button[aria-expanded=false], main button.more")]).length) {
			for (const button of folded) folds.has(button) ? set(button, true) : button.click();
		}
	});

	query.addEventListener("input", list);
	for (const choice of document.querySelectorAll("[name=grouping]")) choice.addEventListener("change", list);
	summary();
	list();
	element("rules").querySelector("tbody").append(...data.rules.map(rule));
	element("rules").hidden = !data.rules.length;
	assumed();
	gaps();
})();
