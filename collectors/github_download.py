"""What GitHub keeps elsewhere: it names an address that is good for a minute, and no credential is sent there."""

from __future__ import annotations

from .contract import SourceError
from .github_client import GitHubClient
from .github_refusals import NotVisible


def download(client: GitHubClient, path: str, about: str) -> bytes:
    """The bytes behind a GET of the API; one request there, and one that counts for nothing at the other place.

    Raises:
        NotVisible: where it is gone, here or there.
        SourceError: where the place it lies at does not give it now, or where the API is asked with encryption and
            the download would not be.
    """
    import requests

    from .http import explain, place

    answer = client.get(path, about)
    address = answer.headers.get("location")
    if answer.status != 302 or not address:
        raise SourceError(f"{about}: GitHub names no place to download it from ({answer.status})")
    transport = client.transport
    with client.context.http.session(ca=transport.authority, encrypted=transport.is_encrypted) as session:
        try:
            response = session.get(address)
        except requests.RequestException as error:
            raise SourceError(f"{about}: {explain(error)}") from None
        except SourceError as error:
            raise SourceError(f"{about}: {error}") from None
    if response.status_code in (404, 410):
        raise NotVisible(f"{about}: {place(address)} has it no more ({response.status_code})")
    if response.status_code != 200:
        raise SourceError(f"{about}: {place(address)} answered with {response.status_code} to the download")
    return response.content
