/// The declared keys as a tree.
enum SchemaNode: Sendable {
  case section(SchemaSection)
  case key(KeyDeclaration)
  case list(KeyDeclaration, SchemaSection)
}

/// The declared keys of one mapping, in the order of their declaration.
struct SchemaSection: Sendable {
  struct Child: Sendable {
    let name: String
    // Not as a node: the case of an enumeration goes into the upper bits of pointers, and a search for
    // leaks (`make sanitize`) takes what they point to for lost.
    private var declaration: KeyDeclaration?
    private var inner: SchemaSection?

    init(name: String, node: SchemaNode) {
      self.name = name
      self.node = node
    }

    var node: SchemaNode {
      get {
        switch (declaration, inner) {
        case (let key?, let inner?): .list(key, inner)
        case (let key?, nil): .key(key)
        case (nil, let inner): .section(inner ?? SchemaSection())
        }
      }
      set {
        switch newValue {
        case .section(let section): (declaration, inner) = (nil, section)
        case .key(let key): (declaration, inner) = (key, nil)
        case .list(let key, let section): (declaration, inner) = (key, section)
        }
      }
    }
  }

  var children: [Child] = []

  var names: [String] { children.map(\.name) }

  subscript(name: String) -> SchemaNode? {
    children.first { $0.name == name }?.node
  }

  mutating func insert(_ declaration: KeyDeclaration, at path: ArraySlice<Substring>) {
    guard let first = path.first else { return }
    let name = String(first.hasSuffix("[]") ? first.dropLast(2) : first)
    let position = children.firstIndex { $0.name == name }
    if path.count == 1 {
      precondition(position == nil, "\(declaration.path) is declared twice")
      if case .mappings = declaration.type {
        children.append(Child(name: name, node: .list(declaration, SchemaSection())))
      } else {
        children.append(Child(name: name, node: .key(declaration)))
      }
      return
    }
    guard let position else {
      precondition(!first.hasSuffix("[]"), "declare the list \(name) before \(declaration.path)")
      var section = SchemaSection()
      section.insert(declaration, at: path.dropFirst())
      children.append(Child(name: name, node: .section(section)))
      return
    }
    switch children[position].node {
    case .section(var section):
      section.insert(declaration, at: path.dropFirst())
      children[position].node = .section(section)
    case .list(let list, var section):
      section.insert(declaration, at: path.dropFirst())
      children[position].node = .list(list, section)
    case .key(let key):
      preconditionFailure("\(declaration.path) lies inside the key \(key.path)")
    }
  }
}
