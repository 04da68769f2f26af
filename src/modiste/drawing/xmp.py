"""Machine-readable marks of drawn pictures: XMP with the IPTC's DigitalSourceType.

The IPTC's terms say how a picture was made (https://cv.iptc.org/newscodes/digitalsourcetype/). The EU's AI Act,
Article 50(2), asks that generated pictures be marked in a machine-readable format.
"""

from __future__ import annotations

from modiste._version import __version__

DRAWN = "trainedAlgorithmicMedia"  # by the decoder alone
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"  # with details of a photo
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:modiste="https://modiste.example/xmp/" '
    'Iptc4xmpExt:DigitalSourceType="{source}" xmp:CreatorTool="Modiste {version}" modiste:model="{model}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def xmp_packet(model_id: str, *, has_details: bool) -> bytes:
    """Return the XMP of a picture that a model drew, with or without the details of a photo."""
    source = VOCABULARY + (COMPOSITE if has_details else DRAWN)
    return _PACKET.format(source=source, version=__version__, model=model_id).encode()
