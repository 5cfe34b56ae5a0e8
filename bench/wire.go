package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
)

// wire is one kept-alive HTTP connection, spoken by hand: the generator shares
// the processors with what it measures, so it does as little as it can.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
	body   []byte // of the newest answer
	target string // where the newest answer redirects to
}

func dial(ctx context.Context, address string) (*wire, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, reader: bufio.NewReader(conn)}, nil
}

// reach leads the wire to another address.
func (w *wire) reach(ctx context.Context, address string) error {
	other, err := dial(ctx, address)
	if err != nil {
		return err
	}
	_ = w.conn.Close()
	*w = *other
	return nil
}

// exchange sends a whole request and reads the whole answer into w.body and
// w.target, both valid until the next.
func (w *wire) exchange(request []byte) (status int, err error) {
	if _, err := w.conn.Write(request); err != nil {
		return 0, err
	}
	line, err := w.line()
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("an answer begins with %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, err := w.headers()
	if err != nil {
		return 0, err
	}
	w.body = grow(w.body, length)
	_, err = io.ReadFull(w.reader, w.body)
	return status, err
}

// expect sends a request that is to be answered with this status.
func (w *wire) expect(status int, request []byte) error {
	got, err := w.exchange(request)
	if err == nil && got != status {
		err = fmt.Errorf("%s was answered %d: %s", request[:bytes.IndexByte(request, '\r')], got, w.body)
	}
	return err
}

// headers reads the head of an answer and gives the length of its body.
func (w *wire) headers() (length int, err error) {
	length, w.target = -1, ""
	for {
		line, err := w.line()
		if err != nil {
			return 0, err
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case len(line) == 0 && length < 0:
			return 0, errors.New("an answer has no Content-Length")
		case len(line) == 0:
			return length, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Location")):
			w.target = string(value)
		}
	}
}

func (w *wire) line() ([]byte, error) {
	line, err := w.reader.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

func grow(buffer []byte, length int) []byte {
	if cap(buffer) < length {
		return make([]byte, length)
	}
	return buffer[:length]
}

// getRequest is a GET as it goes over the wire.
func getRequest(address *url.URL, header ...string) []byte {
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n", address.RequestURI(), address.Host)
	for i := 0; i+1 < len(header); i += 2 {
		request = fmt.Appendf(request, "%s: %s\r\n", header[i], header[i+1])
	}
	return append(request, "\r\n"...)
}

// bearerRequest is a GET with an access token.
func bearerRequest(address *url.URL, accessToken string) []byte {
	return getRequest(address, "Authorization", "Bearer "+accessToken)
}

// formRequest is a POST of a form as it goes over the wire.
func formRequest(address *url.URL, form url.Values) []byte {
	body := form.Encode()
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		address.RequestURI(), address.Host, len(body), body)
}
