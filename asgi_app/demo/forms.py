"""What a visitor may ask for, checked before anything is enqueued."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from asgi_app.demo import catalog
from asgi_app.demo.tasks import LONGEST

__all__ = ["CountdownForm", "ImportForm"]

MAX_UPLOAD = 2 * 1024 * 1024  # bytes
PACES = ((0, "As fast as it can"), (4000, "4,000 rows a second"), (1500, "1,500 rows a second"))


class CountdownForm(forms.Form):
    seconds = forms.IntegerField(min_value=1, max_value=LONGEST)


class ImportForm(forms.Form):
    """An upload, or the bundled catalogue where there is none."""

    file = forms.FileField(required=False)
    pace = forms.TypedChoiceField(choices=PACES, coerce=int, empty_value=None, required=False)

    def clean_file(self) -> tuple[str, str] | None:
        """Name and text of the upload; None without one."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is None:
            return None
        if (file.size or 0) > MAX_UPLOAD:
            raise forms.ValidationError(f"The file is larger than {MAX_UPLOAD // 1024**2} MB.")
        try:
            text = catalog.decode(file.read())
            catalog.check_header(text)
        except catalog.CatalogError as error:
            raise forms.ValidationError(str(error)) from error
        name = "".join(c if c.isprintable() else " " for c in file.name or "upload")
        return name[:100], text
