package picture_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/registration/picture"
)

func noise(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	source := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(source.Uint32())
	}
	return img
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func TestEncode_GivesASmallPNGInTheSameProportions(t *testing.T) {
	t.Parallel()
	palette := image.NewPaletted(image.Rect(0, 0, 40, 20), color.Palette{color.White, color.Black})
	for name, c := range map[string]struct {
		file          []byte
		width, height int
	}{
		"as it is":                      {asPNG(t, palette), 40, 20},
		"smaller":                       {asPNG(t, image.NewGray(image.Rect(0, 0, 1024, 512))), 256, 128},
		"a line":                        {asPNG(t, image.NewGray(image.Rect(0, 0, 4096, 1))), 256, 1},
		"JPEG":                          {encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, noise(512, 512), nil) }), 128, 128},
		"GIF":                           {encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, palette, nil) }), 40, 20},
		"noise that no codec can press": {asPNG(t, noise(256, 256)), 128, 128},
	} {
		got, err := picture.Encode(c.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		config, format, err := image.DecodeConfig(bytes.NewReader(got))
		if err != nil || format != "png" || len(got) > picture.MaxBytes || max(config.Width, config.Height) > picture.MaxSide {
			t.Errorf("%s: a %s of %d bytes, %v", name, format, len(got), err)
		}
		if name != "JPEG" && (config.Width != c.width || config.Height != c.height) {
			t.Errorf("%s: it has %d × %d pixels", name, config.Width, config.Height)
		}
	}
}

func TestEncode_KeepsNothingButPixels(t *testing.T) {
	t.Parallel()
	file := asPNG(t, noise(8, 8))
	const secret = "taken at 52.5N 13.4E"
	var chunk bytes.Buffer
	text := append([]byte("tEXtComment\x00"), secret...)
	_ = binary.Write(&chunk, binary.BigEndian, uint32(len(text)-4))
	chunk.Write(text)
	_ = binary.Write(&chunk, binary.BigEndian, crc32.ChecksumIEEE(text))
	const header = 33 // the signature and IHDR
	withText := append(append(append([]byte{}, file[:header]...), chunk.Bytes()...), file[header:]...)
	withText = append(withText, "<script>alert(1)</script>"...)
	got, err := picture.Encode(withText)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("script")) {
		t.Error("what was beside the pixels is there still")
	}
}

// saysPixels is a PNG whose header says another size than it has.
func saysPixels(t *testing.T, width, height uint32) []byte {
	t.Helper()
	file := asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func TestSec303_APictureThatIsNoneOrTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file  []byte
		fault string
	}{
		"nothing":                            {nil, "no PNG"},
		"SVG":                                {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "no PNG"},
		"HTML":                               {[]byte("<!doctype html><script>alert(1)</script>"), "no PNG"},
		"a PNG that breaks off":              {asPNG(t, noise(8, 8))[:60], "no PNG"},
		"a header of 900 million pixels":     {saysPixels(t, 30000, 30000), "more than"},
		"one side too long":                  {saysPixels(t, 4097, 1), "more than"},
		"a header that says more than it is": {saysPixels(t, 2048, 2048), "no PNG"},
		"real pixels that are too many":      {asPNG(t, image.NewGray(image.Rect(0, 0, 2049, 2048))), "more than"},
	} {
		if got, err := picture.Encode(c.file); err == nil || !strings.Contains(err.Error(), c.fault) || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func FuzzEncode(f *testing.F) {
	var b bytes.Buffer
	_ = png.Encode(&b, noise(4, 4))
	f.Add(b.Bytes())
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8 "))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := picture.Encode(file)
		if err != nil {
			return
		}
		if config, format, err := image.DecodeConfig(bytes.NewReader(got)); err != nil || format != "png" || config.Width > picture.MaxSide || config.Height > picture.MaxSide || len(got) > picture.MaxBytes {
			t.Fatalf("a %s of %d × %d pixels and %d bytes, %v", format, config.Width, config.Height, len(got), err)
		}
	})
}
