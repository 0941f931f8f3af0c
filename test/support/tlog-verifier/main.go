// Verifies an exported log with libraries that have nothing to do with Chronawflow: golang.org/x/mod/sumdb/note and
// transparency-dev's formats and merkle. Everything is computed anew from the entries.
//
//	tlog-verifier [-minimum INDEX] DIRECTORY LOG-KEY [COSIGNER-KEY...] < proofs.json
//
// Of a pruned log (C2SP tlog-tiles, "Pruning") the hashes below the minimum index are taken from the tiles. The proofs, if any, are checked against the same tree. Prints one JSON object, or the reason and exits with 1.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const tileWidth = 256

type proofs struct {
	Inclusion []struct {
		Index uint64
		Proof [][]byte
	}
	Consistency []struct {
		Size  uint64
		Proof [][]byte
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-version" {
		fmt.Println("tlog-verifier on", libraries())
		return
	}
	minimum := flag.Uint64("minimum", 0, "entries below this index are not there; a multiple of 256")
	flag.Parse()
	args := flag.Args()
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "tlog-verifier [-minimum INDEX] DIRECTORY LOG-KEY [COSIGNER-KEY...] < proofs.json")
		os.Exit(2)
	}
	if err := run(args[0], args[1], args[2:], *minimum); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func libraries() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown libraries"
	}
	var names []string
	for _, module := range info.Deps {
		if strings.HasPrefix(module.Path, "github.com/transparency-dev/") || module.Path == "golang.org/x/mod" {
			names = append(names, module.Path+" "+module.Version)
		}
	}
	return strings.Join(names, ", ")
}

func run(directory, logKey string, cosigners []string, minimum uint64) error {
	checkpoint, signatures, err := openCheckpoint(directory, logKey, cosigners)
	if err != nil {
		return err
	}
	tree := newTree(directory, checkpoint.Size)
	for index := uint64(0); index*tileWidth < checkpoint.Size; index++ {
		read := tree.readBundle
		if (index+1)*tileWidth <= minimum {
			read = tree.readHashes
		}
		if err := read(index); err != nil {
			return err
		}
	}
	root := tree.roots[checkpoint.Size]
	if !bytes.Equal(root, checkpoint.Hash) {
		return fmt.Errorf("the entries have root %x, the checkpoint says %x", root, checkpoint.Hash)
	}
	if err := tree.compareTiles(); err != nil {
		return err
	}
	checked, err := tree.checkProofs(root)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"origin": checkpoint.Origin, "size": checkpoint.Size, "root": root, "signatures": signatures, "proofs": checked,
	})
}

func openCheckpoint(directory, logKey string, cosigners []string) (*log.Checkpoint, int, error) {
	text, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return nil, 0, err
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return nil, 0, err
	}
	var others []note.Verifier
	for _, key := range cosigners {
		other, err := cosignerOf(key)
		if err != nil {
			return nil, 0, err
		}
		others = append(others, other)
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(text, verifier.Name(), verifier, others...)
	if err != nil {
		return nil, 0, err
	}
	return checkpoint, len(opened.Sigs), nil
}

func cosignerOf(key string) (note.Verifier, error) {
	if verifier, err := fnote.NewMLDSAVerifier(key); err == nil {
		return verifier, nil
	}
	return fnote.NewVerifierForCosignatureV1(key)
}

// tree grows from the entries, and keeps the hashes of every tile level.
type tree struct {
	directory string
	size      uint64
	grown     *compact.Range
	levels    map[uint][][]byte
	leaves    [][]byte
	roots     map[uint64][]byte
}

func newTree(directory string, size uint64) *tree {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &tree{
		directory: directory, size: size, grown: factory.NewEmptyRange(0),
		levels: map[uint][][]byte{}, roots: map[uint64][]byte{0: rfc6962.DefaultHasher.EmptyRoot()},
	}
}

func (t *tree) readBundle(index uint64) error {
	width := min(t.size-index*tileWidth, tileWidth)
	path := tilePath("entries", index, width)
	bundle, err := os.ReadFile(filepath.Join(t.directory, path))
	if err != nil {
		return err
	}
	for n := uint64(0); n < width; n++ {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("%s ends in entry %d", path, n)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if err := t.append(rfc6962.DefaultHasher.HashLeaf(bundle[2:end])); err != nil {
			return err
		}
		bundle = bundle[end:]
	}
	if len(bundle) > 0 {
		return fmt.Errorf("%s has more than %d entries", path, width)
	}
	return nil
}

// readHashes reads the tile of a bundle that was pruned.
func (t *tree) readHashes(index uint64) error {
	path := tilePath("0", index, tileWidth)
	tile, err := os.ReadFile(filepath.Join(t.directory, path))
	if err != nil {
		return err
	}
	size := rfc6962.DefaultHasher.Size()
	if len(tile) != tileWidth*size {
		return fmt.Errorf("%s has %d bytes", path, len(tile))
	}
	for at := 0; at < len(tile); at += size {
		if err := t.append(tile[at : at+size]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) append(leaf []byte) (err error) {
	t.leaves = append(t.leaves, leaf)
	if err := t.grown.Append(leaf, t.keep); err != nil {
		return err
	}
	t.roots[t.grown.End()], err = t.grown.GetRootHash(nil)
	return err
}

func (t *tree) keep(id compact.NodeID, hash []byte) {
	if id.Level%8 == 0 {
		t.levels[id.Level/8] = append(t.levels[id.Level/8], hash)
	}
}

// compareTiles reads every tile that a tree of this size has.
func (t *tree) compareTiles() error {
	for level, count := uint(0), t.size; count > 0; level, count = level+1, count/tileWidth {
		for index := uint64(0); index*tileWidth < count; index++ {
			width := min(count-index*tileWidth, tileWidth)
			path := tilePath(fmt.Sprint(level), index, width)
			tile, err := os.ReadFile(filepath.Join(t.directory, path))
			if err != nil {
				return err
			}
			if !bytes.Equal(tile, bytes.Join(t.levels[level][index*tileWidth:index*tileWidth+width], nil)) {
				return fmt.Errorf("%s is not made of the entries", path)
			}
		}
	}
	return nil
}

func (t *tree) checkProofs(root []byte) (int, error) {
	var given proofs
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil && err != io.EOF {
		return 0, err
	}
	for _, one := range given.Inclusion {
		leaf := t.leaves[one.Index]
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, one.Index, t.size, leaf, one.Proof, root); err != nil {
			return 0, fmt.Errorf("inclusion of %d: %w", one.Index, err)
		}
	}
	for _, one := range given.Consistency {
		old := t.roots[one.Size]
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, one.Size, t.size, one.Proof, old, root); err != nil {
			return 0, fmt.Errorf("consistency with %d: %w", one.Size, err)
		}
	}
	return len(given.Inclusion) + len(given.Consistency), nil
}

// tilePath is C2SP tlog-tiles' encoding of an index: groups of three digits, all but the last with an x.
func tilePath(level string, index, width uint64) string {
	digits := fmt.Sprintf("%03d", index%1000)
	for rest := index / 1000; rest > 0; rest /= 1000 {
		digits = fmt.Sprintf("x%03d/%s", rest%1000, digits)
	}
	path := strings.Join([]string{"tile", level, digits}, "/")
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}
