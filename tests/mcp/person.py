"""Somebody at the login form of an identity provider, played by a script."""

import base64
import hashlib
import html.parser
import secrets
import urllib.parse

import httpx2

import driver


class Form(html.parser.HTMLParser):
    """The one form of a page that is sent by POST: where to, what it hides, and what its buttons are called."""

    def __init__(self, page):
        super().__init__()
        self.action, self.hidden, self.buttons = None, {}, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and attributes.get("method", "").lower() == "post":
            self.action = attributes["action"]
        elif tag == "input" and attributes.get("type") == "hidden":
            self.hidden[attributes["name"]] = attributes.get("value", "")
        elif tag in ("input", "button") and "name" in attributes:
            self.buttons.append(attributes["name"])


class Person:
    """Has one name and one password, of the same letters, and no cookie from before."""

    def __init__(self, name):
        self.name = name

    def sign_in(self, url):
        """Opens `url`, fills in what is asked for, agrees to all, and says where the browser was sent at last."""
        cookies = {}
        with httpx2.Client(timeout=60, trust_env=False) as browser:
            answer = browser.get(url)
            for _ in range(8):
                # Keycloak's are `Secure`, and a browser takes loopback for secure: kept and sent all the same.
                for cookie in answer.headers.get_list("set-cookie"):
                    name, _, value = cookie.split(";")[0].partition("=")
                    cookies[name] = value
                headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
                if location := answer.headers.get("location"):
                    location = urllib.parse.urljoin(str(answer.url), location)
                    if self.has_left(location, url):
                        return location
                    answer = browser.get(location, headers=headers)
                    continue
                form = Form(answer.text)
                assert answer.status_code == 200 and form.action, f"no form: {answer.status_code} {answer.text}"
                data = {"username": self.name, **form.hidden}
                if "password" in form.buttons:
                    data["password"] = self.name
                if "accept" in form.buttons:  # Keycloak asks about clients that registered themselves
                    data["accept"] = "Yes"
                answer = browser.post(urllib.parse.urljoin(str(answer.url), form.action), data=data, headers=headers)
        raise AssertionError(f"{self.name} was not let in: {answer.status_code} {answer.text}")

    def confirm(self, url):
        """Opens a page of the server that asks something, signs in where that sends the browser, says yes, and reads what is said then."""
        cookies = {}
        with httpx2.Client(timeout=60, trust_env=False) as browser:

            def go(method, to, **more):
                host = urllib.parse.urlsplit(to).netloc
                kept = cookies.setdefault(host, {})
                answer = browser.request(method, to, headers={"Cookie": "; ".join(map("=".join, kept.items())), **more.pop("headers", {})}, **more)
                for cookie in answer.headers.get_list("set-cookie"):
                    name, _, value = cookie.split(";")[0].partition("=")
                    kept[name] = value
                return answer

            answer = go("GET", url)
            for _ in range(12):
                if location := answer.headers.get("location"):
                    answer = go("GET", urllib.parse.urljoin(str(answer.url), location))
                    continue
                form = Form(answer.text)
                if answer.status_code != 200 or not form.action:
                    break
                to = urllib.parse.urljoin(str(answer.url), form.action)
                if "answer" in form.buttons:
                    own = urllib.parse.urlsplit(str(answer.url))
                    origin = {"Origin": f"{own.scheme}://{own.netloc}"}
                    answer = go("POST", to, data={"answer": "yes", **form.hidden}, headers=origin)
                    assert answer.status_code == 200, answer.text
                    return answer.text
                data = {"username": self.name, **form.hidden}
                if "password" in form.buttons:
                    data["password"] = self.name
                answer = go("POST", to, data=data)
        raise AssertionError(f"{self.name} was not asked: {answer.status_code} {answer.text}")

    @staticmethod
    def has_left(location, url):
        here, there = (urllib.parse.urlsplit(it) for it in (url, location))
        return here.netloc != there.netloc


def log_in(name, issuer, scope, resource, client_id="mcp-client"):
    """The answer of the token endpoint to a login with just these scopes: what a client has kept from an earlier one."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with httpx2.Client(timeout=60, trust_env=False) as http:
        metadata = http.get(f"{issuer}/.well-known/openid-configuration").json()
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": driver.REDIRECT,
            "scope": scope,
            "resource": resource,
            "state": "none",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        back = Person(name).sign_in(f"{metadata['authorization_endpoint']}?{urllib.parse.urlencode(query)}")
        callback = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))
        form = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "redirect_uri": driver.REDIRECT,
            "resource": resource,
            "code": callback["code"],
            "code_verifier": verifier,
        }
        answer = http.post(metadata["token_endpoint"], data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()
