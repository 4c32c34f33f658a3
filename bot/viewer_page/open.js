// The link's secret stands behind the #: it reaches the server in a form's body, never in an address.
const form = document.querySelector("form");
form.elements.token.value = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
form.submit();
