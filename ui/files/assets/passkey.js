// Passkeys: the browser's half of WebAuthn (W3C Web Authentication, Level 3). It talks to the JSON API of this origin only.
// Without this file, or in a browser that does not know passkeys, their buttons stay hidden and every other way works.

/** What each kind of block asks of the server, and what it answers with. */
const kinds = {
	login: {
		ask: () => ({}),
		answer: (_, { ticket, credential }) => ({ ticket, credential }),
	},
	again: {
		ask: () => ({ method: "passkey" }),
		answer: (_, { credential }) => ({ credential }),
	},
	second: {
		ask: (block) => ({ mfa_token: block.dataset.token, method: "passkey" }),
		answer: (block, { credential }) => ({
			mfa_token: block.dataset.token,
			method: "passkey",
			credential,
			...(document.querySelector("input[name=trust_device]:checked") && { trust_device: true }),
		}),
	},
	signup: {
		make: true,
		fields: ["email", "name"],
		ask: (block) => typed(block, "email", "name"),
		answer: (_, { ticket, credential }) => ({ ticket, credential }),
	},
	add: {
		make: true,
		ask: () => ({}),
		answer: (block, { ticket, credential }) => ({ ticket, credential, ...typed(block, "name") }),
	},
};

/** The one ceremony that may be under way: a browser refuses a second one (§5.1.4). */
let running = null;

/** What the server asked for an offer is good for five minutes; a page may stay open for longer. */
const renewed = 4 * 60_000;

for (const part of document.querySelectorAll("[data-with-passkey]")) part.hidden = !supported();
for (const part of document.querySelectorAll("[data-without-passkey]")) part.hidden = supported();
if (supported()) {
	for (const block of document.querySelectorAll("[data-passkey]")) begin(block);
}

function supported() {
	const pk = globalThis.PublicKeyCredential;
	return Boolean(pk?.parseCreationOptionsFromJSON && pk.parseRequestOptionsFromJSON && pk.prototype.toJSON);
}

function begin(block) {
	block.hidden = false;
	const button = block.querySelector("button");
	button.addEventListener("click", () => press(block, button));
	if ("autofill" in block.dataset) offer(block);
}

async function press(block, button) {
	const say = teller(block);
	if (!complete(block)) return;
	say("");
	button.disabled = true;
	block.setAttribute("aria-busy", "true");
	try {
		await perform(block, {});
	} catch (error) {
		const text = words(error, kinds[block.dataset.passkey].make);
		if (text) say(text);
		button.focus();
		if ("autofill" in block.dataset) offer(block);
	} finally {
		button.disabled = false;
		block.removeAttribute("aria-busy");
	}
}

/** Offers passkeys among what the browser fills the field in with, quietly: nothing happens until one is chosen (§5.1.7). */
async function offer(block) {
	if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
	try {
		await perform(block, { mediation: "conditional" });
	} catch (error) {
		// What the person chose was refused: that is worth a word. That nobody chose anything is not.
		if (error instanceof Refusal && error.late) teller(block)(error.message);
	}
}

/** One whole ceremony: ask the server, then the authenticator, then the server again. */
async function perform(block, options) {
	running?.abort();
	const control = new AbortController();
	running = control;
	const { signal } = control;
	const kind = kinds[block.dataset.passkey];
	const asked = await call(block.dataset.begin, kind.ask(block), signal);
	const started = performance.now();
	const renewal = options.mediation && setTimeout(() => offer(block), renewed);
	let made;
	try {
		made = kind.make
			? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey), signal })
			: await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey), signal, ...options });
	} catch (error) {
		const limit = asked.publicKey.timeout;
		if (error.name === "NotAllowedError" && limit && performance.now() - started >= limit) throw new TooLate();
		throw error;
	} finally {
		clearTimeout(renewal);
	}
	let answer;
	try {
		answer = await call(block.dataset.finish, kind.answer(block, { ticket: asked.ticket, credential: made.toJSON() }), null);
	} catch (error) {
		if (error instanceof Refusal) error.late = true;
		throw error;
	}
	go(block, answer);
}

/** Goes on: to the second step when one is due, else where the server said when it wrote this page. */
function go(block, answer) {
	if (answer?.verification_required) {
		location.assign(block.dataset.sent);
		return;
	}
	if (!answer?.mfa_required) {
		const next = new URL(block.dataset.next, location.href);
		location.assign(next);
		// Another fragment of the same page would not be loaded again.
		if (next.pathname === location.pathname && next.search === location.search) location.reload();
		return;
	}
	const form = document.createElement("form");
	form.method = "post";
	form.action = block.dataset.second;
	const fields = { do: "ask", mfa_token: answer.mfa_token, methods: answer.methods.join(" "), trust: answer.trust_device ?? 0, return_to: block.dataset.back ?? "" };
	for (const [name, value] of Object.entries(fields)) {
		const field = document.createElement("input");
		field.type = "hidden";
		field.name = name;
		field.value = value;
		form.append(field);
	}
	document.body.append(form);
	form.submit();
}

/** What the server refused, in its words, which are made for people. */
class Refusal extends Error {
	constructor(problem) {
		super(problem.errors?.[0]?.message && problem.code === "invalid_request" ? sentence(problem.errors[0].message) : problem.detail);
		this.code = problem.code;
	}
}

class TooLate extends Error {}

class Unreachable extends Error {}

async function call(path, body, signal) {
	let response;
	try {
		response = await fetch(path, {
			method: "POST",
			headers: { "Content-Type": "application/json", Accept: "application/json" },
			body: JSON.stringify(body),
			credentials: "same-origin",
			redirect: "error",
			signal,
		});
	} catch (error) {
		if (error.name === "AbortError") throw error;
		throw new Unreachable();
	}
	const text = await response.text();
	let answer = null;
	try {
		answer = text && JSON.parse(text);
	} catch {
		throw new Unreachable();
	}
	if (response.ok) return answer;
	throw new Refusal(answer || {});
}

/** An error in words; "" when there is nothing to say. */
function words(error, making) {
	if (error instanceof TooLate) return "That took too long. Try again when you are ready.";
	if (error instanceof Unreachable) return "The server could not be reached. Check your connection, then try again.";
	if (error instanceof Refusal) {
		if (error.code === "reauthentication_required" || error.code === "not_authenticated") {
			const login = document.querySelector("[data-login]")?.dataset.login;
			if (login) {
				location.assign(login);
				return "";
			}
		}
		return error.message || "That did not work. Try again in a moment.";
	}
	switch (error.name) {
		case "AbortError":
			return "";
		case "NotAllowedError":
			return making
				? "Nothing was saved. You closed the window, or this device did not answer. You can try again."
				: "Nothing happened. You closed the window, or this device has no passkey for this site. You can try again, or use another way.";
		case "InvalidStateError":
			return "This device has a passkey for your account already.";
		case "NotSupportedError":
		case "ConstraintError":
			return "This device cannot do that. Try another device, or use another way.";
		case "SecurityError":
			return "Passkeys do not work at this address. Please use another way.";
		default:
			return "That did not work on this device. You can try again, or use another way.";
	}
}

function sentence(text) {
	return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
}

/** Shows a message of the block, which a screen reader reads out. */
function teller(block) {
	const place = block.querySelector("[role=alert]");
	return (text) => {
		place.textContent = text;
		place.hidden = !text;
	};
}

/** The form's fields of these names, as they are filled in. */
function typed(block, ...names) {
	const form = block.closest("form");
	const values = {};
	for (const name of names) {
		const value = form?.elements.namedItem(name)?.value?.trim();
		if (value) values[name] = value;
	}
	return values;
}

/** Says whether what the ceremony needs is filled in, and asks for it otherwise. */
function complete(block) {
	for (const name of kinds[block.dataset.passkey].fields ?? []) {
		const field = block.closest("form")?.elements.namedItem(name);
		if (!field?.required || field.checkValidity()) continue;
		teller(block)(field.value ? "Please check your e-mail address." : "Please fill in your e-mail address first.");
		field.focus();
		return false;
	}
	return true;
}
