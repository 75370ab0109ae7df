from layerscope.models.names import split_pretrained


def test_the_pretrained_suffix_comes_off():
    assert split_pretrained("resnet18_pretrained") == ("resnet18", True)
    assert split_pretrained("resnet18") == ("resnet18", False)
