# Learning curves of csilink and of its PyTorch twin in one plot, from the repository's folder:
#   gnuplot -e "folder='results/learning-curves'" Benchmarks/peers/curves.gp
set encoding utf8
set datafile separator ','
set datafile commentschars '#e'
set title 'CsiNet and ACRNet-1x at 1/4, the same samples, batches and schedule' font ',17'
set border 3 linecolor rgb '#444444' linewidth 1
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 0.8
set key top right samplen 3 spacing 1.15
set xlabel 'epoch'
set ylabel 'validation NMSE (dB)'
set yrange [*:3]
curve(name) = folder.'/'.name
do for [format in 'svg png'] {
  if (format eq 'svg') {
    set terminal svg noenhanced rounded size 860,580 font 'Arial,15' background '#ffffff'
  } else {
    set terminal pngcairo noenhanced rounded size 1720,1160 font 'Arial,15' fontscale 1.55 \
      linewidth 2 background '#ffffff'
  }
  set output folder.'/pytorch.'.format
  plot \
    curve('csinet-4-curve.csv') using 1:6 with lines linewidth 2 linecolor rgb '#0072b2' title 'CsiNet, csilink', \
    curve('csinet-4-pytorch.csv') using 1:6 with lines linewidth 2 dashtype 2 linecolor rgb '#0072b2' title 'CsiNet, PyTorch', \
    curve('acrnet-1x-4-curve.csv') using 1:6 with lines linewidth 2 linecolor rgb '#d55e00' title 'ACRNet-1x, csilink', \
    curve('acrnet-1x-4-pytorch.csv') using 1:6 with lines linewidth 2 dashtype 2 linecolor rgb '#d55e00' title 'ACRNet-1x, PyTorch'
  unset output
}
