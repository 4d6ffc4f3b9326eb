// A stranger's look at a ledger: golang.org/x/mod/sumdb, which nobody here wrote, opens our checkpoints, reads our tiles and
// proves from them what we say.
//
//	ledger FOLDER VKEY CHECKPOINT PROOF ANCHORS
//
// FOLDER holds tile/; VKEY is the verifier key as text; CHECKPOINT is the newest one; PROOF is a .tlog-proof under it; ANCHORS
// is a file of older checkpoints. Every line that it prints held; it ends at the first thing that does not.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "    "+format+"\n", args...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

// checkpoint opens a signed checkpoint (C2SP tlog-checkpoint).
func checkpoint(text string, verifiers note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open([]byte(text), verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, fmt.Errorf("a checkpoint has three lines: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("no root: %q", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// tiles reads C2SP tlog-tiles: as in sumdb, without the height in the path.
type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }

func (t tiles) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(t.folder, strings.Replace(path, "tile/data/", "tile/entries/", 1))
}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(t.path(tile))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", t.path(tile), len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// leaves reads all entry bundles of a tree of that size (C2SP tlog-tiles, "Log Entries").
func (t tiles) leaves(size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: 8, L: -1, N: n, W: int(min(256, size-n*256))}
		data := must(os.ReadFile(t.path(tile)))
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	if int64(len(all)) != size {
		fail("the bundles hold %d leaves of %d", len(all), size)
	}
	return all
}

// proof is a C2SP tlog-proof.
type proof struct {
	extra      []byte
	index      int64
	hashes     tlog.RecordProof
	checkpoint string
}

func parse(text string) proof {
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a tlog-proof: %q", text)
	}
	p := proof{checkpoint: signed}
	p.extra = must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	p.index = must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	for _, line := range lines[3:] {
		hash := must(base64.StdEncoding.DecodeString(line))
		p.hashes = append(p.hashes, tlog.Hash(hash))
	}
	return p
}

func main() {
	if len(os.Args) != 6 {
		fail("usage: ledger FOLDER VKEY CHECKPOINT PROOF ANCHORS")
	}
	store := tiles{os.Args[1]}
	verifier := must(note.NewVerifier(os.Args[2]))
	verifiers := note.VerifierList(verifier)
	newest := string(must(os.ReadFile(os.Args[3])))

	tree := must(checkpoint(newest, verifiers))
	fmt.Printf("    note: the checkpoint of %s at %d leaves opens under our verifier key\n", verifier.Name(), tree.N)
	bent := strings.Replace(newest, fmt.Sprintf("\n%d\n", tree.N), fmt.Sprintf("\n%d\n", tree.N+1), 1)
	if _, err := checkpoint(bent, verifiers); err == nil {
		fail("a changed checkpoint opened")
	}

	reader := tlog.TileHashReader(tree, store)
	if root := must(tlog.TreeHash(tree.N, reader)); root != tree.Hash {
		fail("the tiles lead to %v, the checkpoint says %v", root, tree.Hash)
	}
	fmt.Printf("    tlog: the tiles lead to the root %v\n", tree.Hash)

	leaves := store.leaves(tree.N)
	for n, leaf := range leaves {
		var says struct{ Seq int64 }
		if err := json.Unmarshal(leaf, &says); err != nil || says.Seq != int64(n) {
			fail("leaf %d says %q", n, leaf)
		}
		p := must(tlog.ProveRecord(tree.N, int64(n), reader))
		if err := tlog.CheckRecord(p, tree.N, tree.Hash, int64(n), tlog.RecordHash(leaf)); err != nil {
			fail("leaf %d: %v", n, err)
		}
		if tlog.CheckRecord(p, tree.N, tree.Hash, int64(n), tlog.RecordHash(append([]byte("x"), leaf...))) == nil {
			fail("leaf %d: another leaf is proven, too", n)
		}
	}
	fmt.Printf("    tlog: every one of the %d leaves in the bundles is proven from the tiles\n", len(leaves))

	p := parse(string(must(os.ReadFile(os.Args[4]))))
	under := must(checkpoint(p.checkpoint, verifiers))
	if !bytes.Equal(p.extra, leaves[p.index]) {
		fail("the proof is of %q, the leaf is %q", p.extra, leaves[p.index])
	}
	if err := tlog.CheckRecord(p.hashes, under.N, under.Hash, p.index, tlog.RecordHash(p.extra)); err != nil {
		fail("our proof of leaf %d: %v", p.index, err)
	}
	if theirs := must(tlog.ProveRecord(tree.N, p.index, reader)); fmt.Sprint(theirs) != fmt.Sprint(p.hashes) {
		fail("our proof of leaf %d has other hashes than theirs", p.index)
	}
	fmt.Printf("    tlog: our proof of leaf %d holds, and is theirs hash for hash\n", p.index)

	anchors := 0
	// Between notes stands an empty line, and in each of them one before the signatures.
	parts := strings.Split(strings.TrimSuffix(string(must(os.ReadFile(os.Args[5]))), "\n"), "\n\n")
	for n := 0; n+1 < len(parts); n += 2 {
		older := must(checkpoint(parts[n]+"\n\n"+parts[n+1]+"\n", verifiers))
		p := must(tlog.ProveTree(tree.N, older.N, reader))
		if err := tlog.CheckTree(p, tree.N, tree.Hash, older.N, older.Hash); err != nil {
			fail("the ledger at %d leaves is not the beginning of the one at %d: %v", older.N, tree.N, err)
		}
		forked := older.Hash
		forked[0] ^= 1
		if tlog.CheckTree(p, tree.N, tree.Hash, older.N, forked) == nil {
			fail("a fork at %d leaves is consistent, too", older.N)
		}
		anchors++
	}
	if anchors == 0 {
		fail("no anchor was read")
	}
	fmt.Printf("    tlog: %d older checkpoints are consistent with the newest\n", anchors)
}
