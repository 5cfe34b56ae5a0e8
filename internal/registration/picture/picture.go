// Package picture makes of what somebody sends as an app's logo a picture that we can
// show as our own: a small PNG of nothing but pixels. What it holds besides (text,
// places, colour profiles, a second file behind it) is gone.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // a format that is read: its first frame
	_ "image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // a format that is read
)

// Bounds of a picture.
const (
	MaxSide  = 256      // pixels
	MaxBytes = 64 << 10 // of what Encode gives

	maxSourceSide   = 4096
	maxSourcePixels = 4 << 20 // a small file can say that it has billions of them
)

// Types are the media types of the formats that Encode reads. SVG is none of them: it
// is a document that can hold scripts and addresses.
func Types() []string { return []string{"image/png", "image/jpeg", "image/webp", "image/gif"} }

// What is wrong with a picture.
var (
	errNone  = errors.New("this is no PNG, JPEG, WebP or GIF picture")
	errLarge = fmt.Errorf("the picture has more than %d pixels to a side, or %d million in all", maxSourceSide, maxSourcePixels>>20)
	errEmpty = errors.New("the picture has no pixels")
)

// Encode makes a PNG of at most MaxSide pixels to a side and MaxBytes, in the picture's
// own proportions. An error says to the picture's owner what is wrong with it.
func Encode(file []byte) ([]byte, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil:
		return nil, errNone
	case config.Width < 1 || config.Height < 1:
		return nil, errEmpty
	case config.Width > maxSourceSide || config.Height > maxSourceSide || config.Width*config.Height > maxSourcePixels:
		return nil, errLarge
	}
	source, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, errNone
	}
	if b := source.Bounds(); b.Dx() != config.Width || b.Dy() != config.Height {
		return nil, errNone // two sizes in one file: neither is believed
	}
	for side := MaxSide; ; side /= 2 {
		encoded, err := encode(source, side)
		if err != nil || len(encoded) <= MaxBytes { // four bytes a pixel: 64 to a side are few enough
			return encoded, err
		}
	}
}

func encode(source image.Image, side int) ([]byte, error) {
	from := source.Bounds()
	width, height := within(from.Dx(), from.Dy(), side)
	scaled := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), source, from, draw.Src, nil)
	var encoded bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&encoded, scaled); err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return encoded.Bytes(), nil
}

// within gives the largest size in the same proportions with no side longer than
// side, and never a larger one than there is.
func within(width, height, side int) (int, int) {
	longer := max(width, height)
	if longer <= side {
		return width, height
	}
	return max(1, width*side/longer), max(1, height*side/longer)
}
