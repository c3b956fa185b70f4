/// What the second attention layer compares windows by: a table of H blocks of features for the windows as
/// keys, and one for them as queries, which may be the same.
///
/// A map owns the buffers of one evaluation and is used by one thread at a time. Tables have the shape
/// (H·width, windows), with rows `rowLength` places apart of which those after the last window are zero.
protocol FeatureMap: AnyObject {
  /// H.
  var blocks: Int { get }
  /// Features of one block.
  var blockWidth: Int { get }
  /// Distance between rows, a multiple of 8.
  var rowLength: Int { get }
  /// The positions of its parameters in θ.
  var parameters: Range<Int> { get }
  /// The features of windows as keys, v_ω, and as queries, v_q, as of the last ``prepare(_:)``.
  var keys: Buffer { get }
  var queries: Buffer { get }
  /// Their tangents, as of the last ``prepareTangents(_:_:)``.
  var keyTangents: Buffer { get }
  var queryTangents: Buffer { get }

  /// Computes the features.
  ///
  /// - Parameter parameters: θ, the whole of it.
  func prepare(_ parameters: UnsafePointer<Double>)

  /// Computes the tangents of the features that the last ``prepare(_:)`` computed.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - direction: θ̇.
  func prepareTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>)

  /// Adds the adjoints of the map's parameters.
  ///
  /// - Parameters:
  ///   - parameters: θ, as prepared.
  ///   - keys: the adjoint of ``keys``; what it holds afterwards is open.
  ///   - queries: that of ``queries``; the same buffer where the tables are the same.
  ///   - gradient: θ̄, added to.
  func pullBack(
    _ parameters: UnsafePointer<Double>, keys: Buffer, queries: Buffer,
    into gradient: UnsafeMutablePointer<Double>)

  /// Adds the tangents of the adjoints of the map's parameters, after ``prepareTangents(_:_:)``.
  ///
  /// - Parameters:
  ///   - parameters: θ.
  ///   - direction: θ̇.
  ///   - keys: the adjoint of ``keys`` and its tangent; what they hold afterwards is open.
  ///   - queries: the same of ``queries``.
  ///   - product: the tangent of θ̄, added to.
  func pullBackTangents(
    _ parameters: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    keys: (adjoint: Buffer, tangent: Buffer), queries: (adjoint: Buffer, tangent: Buffer),
    into product: UnsafeMutablePointer<Double>)

  /// Bounds of all g^h = ⟨v_ω^h, v_q^h⟩ at the features as prepared.
  var overlapRange: ClosedRange<Double> { get }
}

extension FeatureMap {
  /// Rows of a table.
  var width: Int { blocks * blockWidth }
  /// Places of a table.
  var tableSize: Int { width * rowLength }
  /// Whether a window has the same features as a key and as a query.
  var isSymmetric: Bool { keys === queries }
}
