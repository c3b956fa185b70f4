import CNumerics.Sundials

// One owner per C object: the initialiser allocates or throws, `deinit` frees. CVodeFree touches
// neither the solvers nor the vectors it was given, so the handles may go in any order.

/// A serial vector of length n.
@safe struct VectorHandle: ~Copyable {
  let pointer: N_Vector
  let count: Int
  private let context: Context

  init(count: Int, in context: Context) throws(IntegrationError) {
    guard let pointer = unsafe N_VNew_Serial(sunindextype(count), context.pointer) else {
      throw .setup("N_VNew_Serial", .outOfMemory, message: context.message)
    }
    unsafe self.pointer = pointer
    self.count = count
    self.context = context
    context.retainHandle()
  }

  deinit {
    unsafe N_VDestroy(pointer)
    context.releaseHandle()
  }

  /// The components, in the library's memory.
  var elements: UnsafeMutableBufferPointer<Double> {
    unsafe UnsafeMutableBufferPointer(start: CNVectorData(pointer), count: count)
  }

  /// Copies `values`, as many as the vector has components, into the vector.
  func assign(_ values: [Double]) {
    precondition(values.count == count, "the state has \(count) components, not \(values.count)")
    let elements = unsafe elements
    for i in 0..<count { unsafe elements[i] = values[i] }
  }
}

/// A dense n × n matrix, column after column.
@safe struct MatrixHandle: ~Copyable {
  let pointer: SUNMatrix
  private let context: Context

  init(dimension: Int, in context: Context) throws(IntegrationError) {
    let n = sunindextype(dimension)
    guard let pointer = unsafe SUNDenseMatrix(n, n, context.pointer) else {
      throw .setup("SUNDenseMatrix", .outOfMemory, message: context.message)
    }
    unsafe self.pointer = pointer
    self.context = context
    context.retainHandle()
  }

  deinit {
    unsafe SUNMatDestroy(pointer)
    context.releaseHandle()
  }
}

/// A linear solver, with the matrix it works on if it is the dense one.
@safe struct LinearSolverHandle: ~Copyable {
  let pointer: SUNLinearSolver
  /// The matrix of the dense solver, owned by `matrix`.
  let matrixPointer: SUNMatrix?
  private let matrix: MatrixHandle?
  private let context: Context

  init(_ kind: LinearSolver, like vector: borrowing VectorHandle, in context: Context)
    throws(IntegrationError)
  {
    let matrix: MatrixHandle?
    let matrixPointer: SUNMatrix?
    let pointer: SUNLinearSolver?
    switch kind {
    case .dense:
      let dense = try MatrixHandle(dimension: vector.count, in: context)
      unsafe pointer = SUNLinSol_Dense(vector.pointer, dense.pointer, context.pointer)
      unsafe matrixPointer = dense.pointer
      matrix = consume dense
    case .spgmr(let size):
      unsafe pointer = SUNLinSol_SPGMR(
        vector.pointer, CNNoPreconditioner, Int32(size), context.pointer)
      unsafe matrixPointer = nil
      matrix = nil
    case .pcg(let size):
      unsafe pointer = SUNLinSol_PCG(
        vector.pointer, CNNoPreconditioner, Int32(size), context.pointer)
      unsafe matrixPointer = nil
      matrix = nil
    }
    guard let pointer = unsafe pointer else {
      throw .setup("SUNLinSol", .outOfMemory, message: context.message)
    }
    unsafe self.pointer = pointer
    unsafe self.matrixPointer = matrixPointer
    self.matrix = matrix
    self.context = context
    context.retainHandle()
  }

  deinit {
    _ = unsafe SUNLinSolFree(pointer)
    context.releaseHandle()
  }
}

/// A nonlinear solver.
@safe struct NonlinearSolverHandle: ~Copyable {
  let pointer: SUNNonlinearSolver
  private let context: Context

  init(
    _ corrector: IntegratorOptions.Corrector, like vector: borrowing VectorHandle,
    in context: Context
  ) throws(IntegrationError) {
    let pointer: SUNNonlinearSolver? =
      switch corrector {
      case .newton: unsafe SUNNonlinSol_Newton(vector.pointer, context.pointer)
      case .fixedPoint(let depth):
        unsafe SUNNonlinSol_FixedPoint(vector.pointer, Int32(depth), context.pointer)
      }
    guard let pointer = unsafe pointer else {
      throw .setup("SUNNonlinSol", .outOfMemory, message: context.message)
    }
    unsafe self.pointer = pointer
    self.context = context
    context.retainHandle()
  }

  deinit {
    _ = unsafe SUNNonlinSolFree(pointer)
    context.releaseHandle()
  }
}

/// CVODE's own memory block.
@safe struct MemoryHandle: ~Copyable {
  let pointer: UnsafeMutableRawPointer
  private let context: Context

  init(method: IntegratorOptions.Method, in context: Context) throws(IntegrationError) {
    guard let pointer = unsafe context.makeIntegrator(method: method == .bdf ? CV_BDF : CV_ADAMS)
    else {
      throw .setup("CVodeCreate", .outOfMemory, message: context.message)
    }
    unsafe self.pointer = pointer
    self.context = context
    context.retainHandle()
  }

  deinit {
    var pointer: UnsafeMutableRawPointer? = unsafe pointer
    unsafe CVodeFree(&pointer)
    context.releaseHandle()
  }
}
