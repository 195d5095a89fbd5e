"""Entra tokens for Azure OpenAI (extra ``azure``)."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from rt_notebook.errors import AuthenticationError, ComponentMissingError
from rt_notebook.io.secrets.secret import Secret

__all__ = ["SCOPE", "bearer_token"]

SCOPE = "https://cognitiveservices.azure.com/.default"
"""The scope that Azure OpenAI asks for; the role is *Cognitive Services OpenAI User*."""


async def bearer_token(credential: Any) -> Secret:
    """Fetch a token, from ``DefaultAzureCredential`` when `credential` is None.

    Raises
    ------
    ComponentMissingError
        azure-identity is not installed.
    AuthenticationError
        No token could be had.
    """
    if credential is None:
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise ComponentMissingError(
                "No key was given, and azure-identity, which would sign in without one, is not installed.",
                "Pass api_key=, set AZURE_OPENAI_API_KEY, or run: pip install 'rt-notebook[azure]'",
            ) from None
        credential = DefaultAzureCredential()
    if inspect.iscoroutinefunction(getattr(credential, "get_token", None)):
        raise AuthenticationError(
            "The credential is one for asyncio.",
            "Use its namesake in azure.identity, not in azure.identity.aio.",
        )
    try:
        token = Secret((await asyncio.to_thread(credential.get_token, SCOPE)).token)
    except Exception as error:
        raise AuthenticationError(
            f"Azure gave no token ({type(error).__name__}).",
            "Sign in with `az login`, or pass api_key= or set AZURE_OPENAI_API_KEY.",
        ) from None
    return token
