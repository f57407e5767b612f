// The onnxruntime binaries from 1.29 on report usage to their maker and keep a device id in the user's home, unless this is set
// before they load. In a worker thread it has no effect, so the child process that hosts the workers imports this too.
process.env.ORT_DISABLE_TELEMETRY = '1'

// An fp32 model computes in fp32 on NVIDIA's cards too, whose libraries otherwise may round its factors to 10 bits (TF32).
process.env.NVIDIA_TF32_OVERRIDE = '0'
