(async () => {
  const answer = await fetch("/api/v3/core/users/me/", { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    location.assign(`/flows/-/default/authentication/?next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  const { user } = await answer.json();
  const root = document.getElementById("user");
  const title = document.createElement("h1");
  title.textContent = user.name || user.username;
  const leave = document.createElement("a");
  leave.href = "/if/flow/default-invalidation-flow/";
  leave.textContent = "Log out";
  root.append(title, leave);
})();
