package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Outbox keeps mail as files instead of sending it: for development. The files hold links that sign people in (R33).
type Outbox struct {
	dir  string
	mu   sync.Mutex
	out  io.Writer
	link *regexp.Regexp
}

// NewOutbox returns a Sender that writes one .eml file a message, readable by the owner only, into dir, which it makes;
// names sort by time. When out is not nil, recipient, subject and first link of each are written there: only for a
// terminal of somebody who develops. A folder that others can read is refused.
func NewOutbox(dir string, out io.Writer) (*Outbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make outbox: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("look at outbox: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("outbox %s can be read by others: chmod 700 it", dir)
	}
	return &Outbox{dir: dir, out: out, link: regexp.MustCompile(`https?://\S+`)}, nil
}

// Send writes a message. The file appears whole or not at all.
func (o *Outbox) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	from := &netmail.Address{Name: "Ostiary", Address: "no-reply@localhost"}
	msg, err := compose(m, from, gomail.NoEncoding)
	if err != nil {
		return err
	}
	name := filepath.Join(o.dir, time.Now().UTC().Format("20060102T150405.000000000Z")+"-"+rand.Text()[:8])
	if err := write(name, msg); err != nil {
		return fmt.Errorf("keep mail: %w", err)
	}
	return o.note(m)
}

func write(name string, msg io.WriterTo) (err error) {
	file, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = msg.WriteTo(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name+".part"))
	}
	return os.Rename(name+".part", name+".eml")
}

func (o *Outbox) note(m Message) error {
	if o.out == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := fmt.Fprintf(o.out, "mail to %s: %s\n  %s\n", m.To, m.Subject, o.link.FindString(m.Text)); err != nil {
		return fmt.Errorf("note mail: %w", err)
	}
	return nil
}
