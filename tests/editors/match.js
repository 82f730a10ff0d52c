// SPDX-License-Identifier: GPL-2.0-only
"use strict";
// node match.js MATCHERS MESSAGES: prints what each matcher takes from each line, as JSON. MATCHERS is a JSON list of
// {"pattern": {"regexp": …, "file": 1, …}}, in VS Code's or GitHub's form.
const { readFileSync } = require("node:fs");
const [matchers, messages] = process.argv.slice(2).map((path) => readFileSync(path, "utf-8"));
const patterns = JSON.parse(matchers).map((matcher) => [matcher, [matcher.pattern].flat()[0]]);
const found = messages.split("\n").slice(0, -1).map((line) => patterns.flatMap(([matcher, pattern]) => {
	const match = new RegExp(pattern.regexp).exec(line);
	if (!match) return [];
	const take = (name) => pattern[name] === undefined ? null : match[pattern[name]] ?? null;
	return [{
		owner: matcher.owner, file: take("file"), line: Number(take("line")), column: Number(take("column") ?? 0),
		severity: take("severity") ?? matcher.severity, message: take("message"), code: take("code"),
	}];
}));
console.log(JSON.stringify(found));
