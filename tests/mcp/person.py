"""Somebody at the login form of an identity provider, played by a script."""

import html.parser
import urllib.parse

import httpx2



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

    @staticmethod
    def has_left(location, url):
        here, there = (urllib.parse.urlsplit(it) for it in (url, location))
        return here.netloc != there.netloc
