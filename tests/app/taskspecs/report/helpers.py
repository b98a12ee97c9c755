def title(text: str) -> str:
    return f"Report: {text}"
