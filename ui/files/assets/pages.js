// Small comforts. Every page works without this file.

for (const field of document.querySelectorAll("input[type=password]")) reveal(field);
for (const field of document.querySelectorAll("input[data-min]")) measure(field);
for (const button of document.querySelectorAll("button[data-copy]")) copying(button);
for (const button of document.querySelectorAll("button[data-save]")) saving(button);
for (const button of document.querySelectorAll("button[data-print]")) printing(button);
for (const time of document.querySelectorAll("time[datetime]")) relate(time);
for (const form of document.querySelectorAll("form[data-setup]")) takeToken(form);

/** Adds a button that shows and hides what is typed. */
function reveal(field) {
	const button = document.createElement("button");
	button.type = "button";
	button.className = "reveal";
	const draw = (shown) => {
		field.type = shown ? "text" : "password";
		button.textContent = shown ? "Hide" : "Show";
		button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
		button.setAttribute("aria-pressed", String(shown));
	};
	draw(false);
	button.addEventListener("click", () => draw(field.type === "password"));
	// Browsers remember what was typed into text fields: never send a password as one.
	field.form?.addEventListener("submit", () => draw(false));
	field.after(button);
}

/** Says how long a new password is; only the length counts here, the server judges the rest. */
function measure(field) {
	const hint = document.getElementById(`${field.id}-hint`);
	const min = Number(field.dataset.min);
	if (!hint || !min) return;
	const text = hint.textContent;
	const meter = document.createElement("span");
	meter.className = "meter";
	meter.setAttribute("aria-hidden", "true");
	hint.before(meter);
	field.addEventListener("input", () => {
		const length = [...field.value.normalize("NFKC")].length;
		const left = min - length;
		meter.dataset.level = length === 0 ? "" : left > 0 ? "short" : length < min + 6 ? "fair" : "long";
		if (length === 0) hint.textContent = text;
		else if (left > 0) hint.textContent = `${left} more ${left === 1 ? "character" : "characters"}.`;
		else hint.textContent = length < min + 6 ? "Long enough. A longer one is better." : "A good length.";
	});
}

/** Copies the text of another element. */
function copying(button) {
	const source = document.getElementById(button.dataset.copy);
	if (!source || !navigator.clipboard) return;
	button.hidden = false;
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(lines(source));
		button.textContent = "Copied";
	});
}

/** The text of an element, an item of a list on each line. */
function lines(source) {
	const items = [...source.querySelectorAll("li")];
	return items.length ? items.map((item) => item.textContent.trim()).join("\n") + "\n" : source.textContent.trim();
}

/** Saves the text of another element as a file. */
function saving(button) {
	const source = document.getElementById(button.dataset.save);
	if (!source) return;
	button.hidden = false;
	button.addEventListener("click", () => {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob([lines(source)], { type: "text/plain" }));
		link.download = button.dataset.name;
		link.click();
		URL.revokeObjectURL(link.href);
	});
}

function printing(button) {
	button.hidden = false;
	button.addEventListener("click", () => print());
}

/** Writes "5 minutes ago" and keeps the exact time as the title. */
function relate(time) {
	const then = Date.parse(time.dateTime);
	if (Number.isNaN(then)) return;
	const seconds = Math.round((then - Date.now()) / 1000);
	time.title = time.textContent;
	if (Math.abs(seconds) < 45) {
		time.textContent = "just now";
		return;
	}
	const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
	for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
		if (Math.abs(seconds) >= size || unit === "minute") {
			time.textContent = words.format(Math.round(seconds / size), unit);
			return;
		}
	}
}

/** Takes the set-up token out of the address, where it is never sent to a server, into the form. */
function takeToken(form) {
	const token = location.hash.slice(1);
	const field = form.elements.namedItem("token");
	if (!token || !field) return;
	field.value = token.replace(/^token=/, "");
	field.closest(".field").hidden = true;
	history.replaceState(null, "", location.pathname);
	form.querySelector("input[name=email]")?.focus();
}
