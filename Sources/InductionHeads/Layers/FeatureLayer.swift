/// One step of a feature map: a table of features from other ones and from parameters.
///
/// A layer reads the values of its inputs and fills that of its output. Adjoints go the other way and are added to
/// what is there, so that several layers may read the same table; whoever runs a map clears them beforehand.
/// With x the inputs, y the output and θ the parameters, a layer is four functions:
///
/// - ``forward(_:)``: y(x, θ);
/// - ``tangent(_:_:)``: ẏ = (∂y/∂x) ẋ + (∂y/∂θ) θ̇;
/// - ``pullBack(_:into:)``: x̄ += (∂y/∂x)ᵀ ȳ and θ̄ += (∂y/∂θ)ᵀ ȳ;
/// - ``pullBackTangent(_:_:into:)``: the derivative of what `pullBack` adds, along (ẋ, θ̇, ȳ̇).
///
/// Each expects the ones that it needs to have run before, in this order. Parameters are found by their place in
/// the whole of θ, which a layer is told when it is made.
package protocol FeatureLayer: AnyObject {
  /// The tables it reads; those whose adjoints it adds to.
  var inputs: [FeatureTable] { get }
  var output: FeatureTable { get }

  /// Fills the value of the output.
  func forward(_ theta: UnsafePointer<Double>)

  /// Fills the tangent of the output.
  func tangent(_ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>)

  /// Adds to the adjoints of the inputs and to that of the parameters.
  func pullBack(_ theta: UnsafePointer<Double>, into gradient: UnsafeMutablePointer<Double>)

  /// Adds to the tangents of these adjoints.
  func pullBackTangent(
    _ theta: UnsafePointer<Double>, _ direction: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>)
}
