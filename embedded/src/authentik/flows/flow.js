(() => {
  const root = document.getElementById("flow");
  const query = encodeURIComponent(location.search.slice(1));
  const url = `/api/v3/flows/executor/${root.dataset.slug}/?query=${query}`;
  const csrf = () => (document.cookie.match(/(?:^|; )authentik_csrf=([^;]*)/) || ["", ""])[1];
  const add = (parent, name, text, attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    parent.append(element);
    return element;
  };
  const send = async (answer) => {
    const headers = { Accept: "application/json" };
    if (answer) {
      headers["Content-Type"] = "application/json";
      headers["X-authentik-CSRF"] = csrf();
    }
    const options = answer ? { method: "POST", headers, body: JSON.stringify(answer) } : { headers };
    show(await (await fetch(url, options)).json());
  };
  const ask = (challenge, label, name, type) => {
    const form = add(root, "form", "");
    const input = add(add(form, "label", label), "input", "", { name, type, required: "", autofocus: "" });
    add(form, "button", "Log in");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send({ component: challenge.component, [name]: input.value });
    });
    input.focus();
  };
  const show = (challenge) => {
    if (challenge.component === "xak-flow-redirect") {
      location.assign(challenge.to);
      return;
    }
    root.replaceChildren();
    add(root, "h1", (challenge.flow_info || {}).title || "authentik");
    if (challenge.application_pre) add(root, "p", `Login to continue to ${challenge.application_pre}.`);
    if (challenge.pending_user) add(root, "p", challenge.pending_user);
    Object.values(challenge.response_errors || {}).flat().forEach((error) => {
      add(root, "p", error.string, { class: "error" });
    });
    if (challenge.error_message) add(root, "p", challenge.error_message, { class: "error" });
    switch (challenge.component) {
      case "ak-stage-identification":
        return ask(challenge, "Email or Username", "uid_field", "text");
      case "ak-stage-password":
        return ask(challenge, "Password", "password", "password");
      case "ak-stage-consent":
        add(root, "p", challenge.header_text);
        challenge.permissions.forEach(({ name, id }) => add(root, "p", name || id));
        add(root, "button", "Continue").addEventListener("click", () => {
          send({ component: challenge.component, token: challenge.token });
        });
        return;
      case "ak-stage-autosubmit": {
        const form = add(root, "form", challenge.title, { action: challenge.url, method: "post" });
        Object.entries(challenge.attrs).forEach(([name, value]) => {
          add(form, "input", "", { type: "hidden", name, value });
        });
        form.submit();
        return;
      }
      case "ak-stage-session-end":
        add(root, "a", "Go back to overview", { href: "/" });
        add(add(root, "p", ""), "a", "Log out of authentik", { href: challenge.invalidation_flow_url });
        return;
      default:
        if (challenge.detail) add(root, "p", challenge.detail, { class: "error" });
    }
  };
  send();
})();
