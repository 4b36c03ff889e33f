/** Larger examples of the operations, whose shapes leave remainders in every tile, block and buffer. */
const H = '0x3e99999a', EPS = '0x3727c5ac', ONE = '0x3f800000'
const KEY = '#000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const SEED = `#${'5a'.repeat(32)}`
const CLIP = '0x3fe0000000000000', Z = '0x3ff0000000000000', TENTH = '0x3fb999999999999a'

/** Zeros, denormals, the least normal, neighbours of 1, the largest; then what is not finite. */
const FINITE = '0x00000000,0x80000000,0x00000001,0x80000001,0x007fffff,0x00800000,0x80800000,0x3f7fffff,0x3f800001,0xc2aeac50,0x7f7fffff,0xff7fffff'
const ALL = `${FINITE},0x7f800000,0xff800000,0x7fc00000`

export const CASES: readonly string[] = [
  ...['exp', 'log', 'phi', 'tanh', 'f16', 'bf16'].map(op => `${op} x=${ALL}`),
  ...['gelu_erf', 'gelu_tanh', 'relu', 'silu'].map(op => `${op} x=${FINITE}`),
  // rows just below, at and above 2^-110, in x and in the weight
  'int8_linear M=4 N=3 K=2 x=0x087fffff,0x00000001,0x08800000,0x80000001,0x08800001,0x3f800000,0x00000000,0x80000000 w=0x08800000,0x087fffff,0x087fffff,0x00000000,0x3f800000,0xff7fffff',
  'int8_linear_back M=2 N=3 K=2 dy=0x3f800000,0x3f800000,0x00000001,0x00800000,0x00800000,0x00800000 w=0x08800000,0x087fffff,0x087fffff,0x00000000,0x3f800000,0x3f000000',
  `layer_norm M=2 C=5 eps=${EPS} x=0x00000001,0x00000002,0x80000003,0x00000004,0x00800000,0x3f800000,0x3f800000,0x3f800000,0x3f800000,0x3f800000 weight=~1:5:1 bias=~2:5:1`,
  `matmul m=1 n=2 k=2 alpha=${ONE} start=0x80000000,0x80000000 a=0x00000000,0x80000000 b=0x80000000,0x3f800000,0x3f800000,0x00000000`,
  `sgd lr=${TENTH} momentum=0x0000000000000000 decay=0x0000000000000000 p=${FINITE} v=${FINITE} g=${FINITE.split(',').reverse().join(',')}`,
  ...['exp', 'log', 'phi', 'tanh', 'gelu_erf', 'gelu_tanh', 'relu', 'silu'].map((op, i) => `${op} x=~${i}:1003:${op === 'exp' ? 104 : 9}`),
  ...['gelu_erf_back', 'gelu_tanh_back', 'relu_back', 'silu_back'].map((op, i) => `${op} x=~${i}:503:9 dy=~${20 + i}:503:2`),
  'tanh_back y=~1:203:1 dy=~2:203:3',
  'f16 x=~3:501:70000', 'f16 x=~4:501:0.0001', 'bf16 x=~5:501:3',
  `matmul m=131 n=13 k=401 alpha=${H} start=~1:1703:1 a=~2:52531:1 b=~3:5213:1`,
  `matmul m=1 n=1 k=1 alpha=${ONE} start=~1:1:1 a=~2:1:1 b=~3:1:1`,
  ...['f32', 'f16', 'bf16'].flatMap(format => [
    `linear format="${format}" M=7 N=21 K=50 x=~1:350:2 w=~2:1050:1 bias=~3:21:1`, `linear format="${format}" M=123 N=9 K=390 x=~1:47970:2 w=~2:3510:1`,
    `linear_back format="${format}" M=6 N=395 K=13 dy=~4:2370:1 w=~5:5135:1 start=~6:78:1`,
  ]),
  'int8_quantize N=7 K=50 w=~2:350:1',
  'int8_linear M=133 N=19 K=70 x=~1:9310:2 w=~2:1330:1 bias=~3:19:1', 'int8_linear M=6 N=9 K=1031 x=~1:6186:2 w=~2:9279:1',
  'int8_linear_back M=7 N=70 K=19 dy=~4:490:0.01 w=~5:1330:1 start=~6:133:1', 'int8_linear_back M=6 N=1031 K=9 dy=~4:6186:0.01 w=~5:9279:1',
  'column_sums M=37 C=11 x=~7:407:3',
  'embedding_back M=9 C=5 V=4 ids=3,0,1,3,3,0,2,1,3 dy=~1:45:1',
  `layer_norm M=5 C=67 eps=${EPS} x=~1:335:4 weight=~2:67:2 bias=~3:67:1`, `layer_norm M=5 C=67 eps=${EPS} x=~1:335:4 residual=~9:335:2 weight=~2:67:2 bias=~3:67:1`,
  `layer_norm_back M=5 C=67 eps=${EPS} x=~1:335:4 weight=~2:67:2 dy=~4:335:1`,
  ...[0, 1].flatMap(causal => ['', '_back'].map(back =>
    `attention${back} H=3 D=5 causal=${causal} offsets=0,1,7,140 scale=${H} q=~1:2100:2 k=~2:2100:2 v=~3:2100:2${back ? ' dout=~4:2100:1' : ''}`)),
  `dropout M=5 C=37 rate=${TENTH} key=-5,123456789 stream=7 first=1000 x=~1:185:1`,
  'mean_pool C=5 offsets=0,1,4,9 x=~1:45:1', 'mean_pool_back C=5 offsets=0,1,4,9 dy=~2:15:1', 'cls_pool C=5 offsets=0,1,4,9 x=~1:45:1', 'cls_pool_back C=5 offsets=0,1,4,9 dy=~2:15:1',
  `l2_normalize M=3 C=21 eps=${EPS} x=~1:63:1`, `l2_normalize_back M=3 C=21 eps=${EPS} x=~1:63:1 dy=~2:63:1`, `l2_normalize_back M=1 C=3 eps=${ONE} x=~1:3:0.1 dy=~2:3:1`,
  'cross_entropy M=3 V=11 targets=10,0,4 logits=~1:33:9', `cross_entropy_back M=3 V=11 targets=10,0,4 weight=${H} logits=~1:33:9`,
  'sum_squares x=~1:1003:7', 'hash_array x=~1:777:1',
  `sgd lr=${TENTH} momentum=${CLIP} decay=${TENTH} p=~1:33:1 v=~2:33:1 g=~3:33:1`,
  `adamw lr=${TENTH} beta1=0x3feccccccccccccd beta2=0x3fefae147ae147ae eps=0x3f1a36e2eb1c432d decay=${TENTH} t=37 p=~1:33:1 m=~2:33:1 v=~3:33:0 g=~4:33:1`,
  'random labels="vector",12345678901,"\\u00e9\\ud83d\\ude00" count=100', 'random_below labels="n" n=4294967295 count=50', 'random_below labels="n" n=1 count=3', 'shuffle labels="s",1 n=100',
  `chacha_words key=${KEY} code=1589641218 index=4294967295 round=4294967296 count=300`,
  ...[1, 2, 7, 256, 1000003].map(sigma => `discrete_gaussian key=${KEY} sigma=${sigma} round=9 count=120`),
  `encode clip=${CLIP} cohort=4 z=${Z} round=3 client=5 seed=${SEED} x=~1:700:0.01`, `encode clip=${CLIP} cohort=4 z=${Z} round=3 client=5 seed=${SEED} x=~1:700:2`,
  `encode clip=${CLIP} cohort=4 z=${Z} rotate=1 round=4294967297 client=4294967295 seed=${SEED} x=~1:600:2`, `encode clip=${CLIP} cohort=1 z=${Z} nearest=1 round=3 client=5 seed=${SEED} x=~1:30:2`,
  `encode clip=${CLIP} cohort=4 z=${Z} quantile=${Z} round=3 client=5 seed=${SEED} x=~1:300:0.01`,
  `release clip=${CLIP} cohort=4 z=${Z} round=3 seed=${SEED} noise=${KEY} dimension=300 sum=${Array.from({ length: 300 }, (_, i) => i % 9 - 4).join(',')}`,
  `release clip=${CLIP} cohort=4 z=${Z} rotate=1 round=3 seed=${SEED} noise=${KEY} dimension=50 sum=${Array.from({ length: 64 }, (_, i) => i % 9 - 4).join(',')}`,
  `release clip=${CLIP} cohort=4 z=${Z} quantile=${Z} round=3 seed=${SEED} noise=${KEY} dimension=3 sum=100,-50,7,1`,
]
