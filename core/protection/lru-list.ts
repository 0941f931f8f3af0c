/** What can stand in an LruList; only the list writes the links. */
export interface Linked<Node> {
  older: Node | undefined;
  newer: Node | undefined;
}

/** From the least to the most lately used, without memory beside its members. */
export class LruList<Node extends Linked<Node>> {
  oldest: Node | undefined;
  private newest: Node | undefined;
  size = 0;

  /** Puts a node in, as the most lately used. */
  add(node: Node): void {
    node.older = this.newest;
    node.newer = undefined;
    if (this.newest === undefined) this.oldest = node;
    else this.newest.newer = node;
    this.newest = node;
    this.size += 1;
  }

  remove(node: Node): void {
    if (node.older === undefined) this.oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
    this.size -= 1;
  }

  touch(node: Node): void {
    if (node === this.newest) return;
    this.remove(node);
    this.add(node);
  }
}
