// Checklog lets packages that nobody here wrote judge a log's heads, proofs and tiles:
// golang.org/x/mod/sumdb/note and golang.org/x/mod/sumdb/tlog, which Go's checksum database uses.
//
//	checklog head VKEY HEADFILE
//	checklog proof VKEY PROOFFILE
//	checklog growth VKEY OLDHEADFILE GROWTHFILE
//	checklog tiles VKEY FOLDER
//
// FOLDER holds "checkpoint" and "tile/…" as C2SP tlog-tiles names them; every leaf of it is proved.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: checklog head|proof|growth|tiles VKEY FILE…")
	}
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	switch {
	case args[0] == "head" && len(args) == 3:
		return head(verifier, args[2])
	case args[0] == "proof" && len(args) == 3:
		return proof(verifier, args[2])
	case args[0] == "growth" && len(args) == 4:
		return growth(verifier, args[2], args[3])
	case args[0] == "tiles" && len(args) == 3:
		return tiles(verifier, args[2])
	}
	return errors.New("unknown command")
}

// open returns the tree that a signed head names.
func open(verifier note.Verifier, signed []byte) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, errors.New("a head has three lines and the log's name")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func openFile(verifier note.Verifier, name string) (tlog.Tree, error) {
	signed, err := os.ReadFile(name)
	if err != nil {
		return tlog.Tree{}, err
	}
	return open(verifier, signed)
}

func head(verifier note.Verifier, name string) error {
	tree, err := openFile(verifier, name)
	if err == nil {
		fmt.Println(tree.N, tree.Hash)
	}
	return err
}

// split cuts a file of lines, an empty line and a signed head.
func split(name string) ([]string, []byte, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	top, signed, found := strings.Cut(string(content), "\n\n")
	if !found {
		return nil, nil, errors.New("no empty line before the head")
	}
	return strings.Split(top, "\n"), []byte(signed), nil
}

func hashes(lines []string) ([]tlog.Hash, error) {
	path := make([]tlog.Hash, 0, len(lines))
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		path = append(path, hash)
	}
	return path, nil
}

func proof(verifier note.Verifier, name string) error {
	lines, signed, err := split(name)
	if err != nil {
		return err
	}
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no proof")
	}
	envelope, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	path, err := hashes(lines[3:])
	if err != nil {
		return err
	}
	tree, err := open(verifier, signed)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(envelope))
}

func growth(verifier note.Verifier, oldName, name string) error {
	old, err := openFile(verifier, oldName)
	if err != nil {
		return err
	}
	lines, signed, err := split(name)
	if err != nil {
		return err
	}
	if lines[0] != fmt.Sprintf("old %d", old.N) {
		return errors.New("a proof about another head")
	}
	path, err := hashes(lines[1:])
	if err != nil {
		return err
	}
	tree, err := open(verifier, signed)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash)
}

// folder reads tiles as C2SP tlog-tiles names them: as Go does, but without the height.
type folder struct{ path string }

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(wanted))
	for _, tile := range wanted {
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		content, err := os.ReadFile(filepath.Join(f.path, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func tiles(verifier note.Verifier, path string) error {
	tree, err := openFile(verifier, filepath.Join(path, "checkpoint"))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, folder{path})
	for index := int64(0); index < tree.N; index++ {
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		path, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return err
		}
	}
	fmt.Println(tree.N)
	return nil
}
