extension Host {
    /// Its disk is replaced by an empty one.
    public func eraseFiles() { files.removeAll() }
}
