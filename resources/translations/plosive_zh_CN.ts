<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
    <context>
        <name>Actions</name>
        <message>
            <source>Repeat two seconds around the anchor</source>
            <translation>循环播放锚点前后两秒</translation>
        </message>
        <message>
            <source>Measure only the range, or ten seconds here</source>
            <translation>只测量选定范围，或此处十秒</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Edit</source>
            <translation>编辑</translation>
        </message>
        <message>
            <source>Sync</source>
            <translation>同步</translation>
        </message>
        <message>
            <source>Play</source>
            <translation>播放</translation>
        </message>
        <message>
            <source>View</source>
            <translation>视图</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
        <message>
            <source>Open…</source>
            <translation>打开…</translation>
        </message>
        <message>
            <source>Use another sound for this clip…</source>
            <translation>为此片段换用另一段声音…</translation>
        </message>
        <message>
            <source>Use the clip's own sound again</source>
            <translation>恢复使用片段自带的声音</translation>
        </message>
        <message>
            <source>Open the copied path</source>
            <translation>打开已复制的路径</translation>
        </message>
        <message>
            <source>Open the sample</source>
            <translation>打开示例</translation>
        </message>
        <message>
            <source>Save project</source>
            <translation>保存项目</translation>
        </message>
        <message>
            <source>Save project as…</source>
            <translation>项目另存为…</translation>
        </message>
        <message>
            <source>Export…</source>
            <translation>导出…</translation>
        </message>
        <message>
            <source>Write the corrected copy</source>
            <translation>写出校正后的副本</translation>
        </message>
        <message>
            <source>Close the clip</source>
            <translation>关闭片段</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>退出</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>重做</translation>
        </message>
        <message>
            <source>Find a command…</source>
            <translation>查找命令…</translation>
        </message>
        <message>
            <source>Settings…</source>
            <translation>设置…</translation>
        </message>
        <message>
            <source>Measure</source>
            <translation>测量</translation>
        </message>
        <message>
            <source>Stop measuring</source>
            <translation>停止测量</translation>
        </message>
        <message>
            <source>Measure whoever speaks</source>
            <translation>测量正在说话的人</translation>
        </message>
        <message>
            <source>Apply what was measured</source>
            <translation>应用测量结果</translation>
        </message>
        <message>
            <source>Remove the correction</source>
            <translation>移除校正</translation>
        </message>
        <message>
            <source>1 frame</source>
            <translation>1 帧</translation>
        </message>
        <message>
            <source>10 ms</source>
            <translation>10 毫秒</translation>
        </message>
        <message>
            <source>1 ms</source>
            <translation>1 毫秒</translation>
        </message>
        <message>
            <source>Sound 1 frame earlier</source>
            <translation>声音提前 1 帧</translation>
        </message>
        <message>
            <source>Sound 1 frame later</source>
            <translation>声音推后 1 帧</translation>
        </message>
        <message>
            <source>Sound 10 ms earlier</source>
            <translation>声音提前 10 毫秒</translation>
        </message>
        <message>
            <source>Sound 10 ms later</source>
            <translation>声音推后 10 毫秒</translation>
        </message>
        <message>
            <source>Sound 1 ms earlier</source>
            <translation>声音提前 1 毫秒</translation>
        </message>
        <message>
            <source>Sound 1 ms later</source>
            <translation>声音推后 1 毫秒</translation>
        </message>
        <message>
            <source>Queue of clips</source>
            <translation>片段队列</translation>
        </message>
        <message>
            <source>Back to the clip</source>
            <translation>返回片段</translation>
        </message>
        <message>
            <source>Measure all clips of a folder…</source>
            <translation>测量文件夹中的所有片段…</translation>
        </message>
        <message>
            <source>Keyboard shortcuts</source>
            <translation>键盘快捷键</translation>
        </message>
        <message>
            <source>Log</source>
            <translation>日志</translation>
        </message>
        <message>
            <source>Play or pause</source>
            <translation>播放或暂停</translation>
        </message>
        <message>
            <source>Backwards, or faster backwards</source>
            <translation>倒放，或更快地倒放</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message>
            <source>Forwards, or faster</source>
            <translation>正放，或更快地正放</translation>
        </message>
        <message>
            <source>One frame back</source>
            <translation>后退一帧</translation>
        </message>
        <message>
            <source>One frame on</source>
            <translation>前进一帧</translation>
        </message>
        <message>
            <source>Ten frames back</source>
            <translation>后退十帧</translation>
        </message>
        <message>
            <source>Ten frames on</source>
            <translation>前进十帧</translation>
        </message>
        <message>
            <source>One second back</source>
            <translation>后退一秒</translation>
        </message>
        <message>
            <source>One second on</source>
            <translation>前进一秒</translation>
        </message>
        <message>
            <source>To the beginning</source>
            <translation>到开头</translation>
        </message>
        <message>
            <source>To the end</source>
            <translation>到结尾</translation>
        </message>
        <message>
            <source>Range begins here</source>
            <translation>选区从这里开始</translation>
        </message>
        <message>
            <source>Range ends here</source>
            <translation>选区到这里结束</translation>
        </message>
        <message>
            <source>No range</source>
            <translation>取消选区</translation>
        </message>
        <message>
            <source>Repeat the range, or two seconds here</source>
            <translation>循环播放选区，或此处两秒</translation>
        </message>
        <message>
            <source>Mark this moment</source>
            <translation>在此处做标记</translation>
        </message>
        <message>
            <source>Mark before</source>
            <translation>上一个标记</translation>
        </message>
        <message>
            <source>Mark after</source>
            <translation>下一个标记</translation>
        </message>
        <message>
            <source>Sound on or off</source>
            <translation>开关声音</translation>
        </message>
        <message>
            <source>Play without the correction</source>
            <translation>不带校正播放</translation>
        </message>
        <message>
            <source>Blind test: which one looks right?</source>
            <translation>盲测：哪个看起来对？</translation>
        </message>
        <message>
            <source>Closer</source>
            <translation>放大</translation>
        </message>
        <message>
            <source>Farther</source>
            <translation>缩小</translation>
        </message>
        <message>
            <source>The whole clip</source>
            <translation>整个片段</translation>
        </message>
        <message>
            <source>Two seconds here, or the whole</source>
            <translation>此处两秒，或整个片段</translation>
        </message>
        <message>
            <source>Snap while dragging</source>
            <translation>拖动时吸附</translation>
        </message>
        <message>
            <source>Look closely at the mouth</source>
            <translation>近看嘴部</translation>
        </message>
        <message>
            <source>Before and after side by side</source>
            <translation>校正前后并排显示</translation>
        </message>
        <message>
            <source>Show the mouth's outline</source>
            <translation>显示嘴部轮廓</translation>
        </message>
        <message>
            <source>Page: sync</source>
            <translation>页面：同步</translation>
        </message>
        <message>
            <source>Page: doctor</source>
            <translation>页面：诊断</translation>
        </message>
        <message>
            <source>Page: export</source>
            <translation>页面：导出</translation>
        </message>
        <message>
            <source>Page: history</source>
            <translation>页面：历史</translation>
        </message>
        <message>
            <source>Drop an anchor here</source>
            <translation>在此放置锚点</translation>
        </message>
        <message>
            <source>Anchor before</source>
            <translation>上一个锚点</translation>
        </message>
        <message>
            <source>Anchor after</source>
            <translation>下一个锚点</translation>
        </message>
        <message>
            <source>A line through two anchors (drift)</source>
            <translation>过两个锚点的直线（漂移）</translation>
        </message>
        <message>
            <source>A step at each anchor (jumps)</source>
            <translation>每个锚点一级阶梯（跳变）</translation>
        </message>
        <message>
            <source>Remove all anchors</source>
            <translation>删除全部锚点</translation>
        </message>
        <message>
            <source>Remove the selected anchor or marker</source>
            <translation>删除选中的锚点或标记</translation>
        </message>
        <message>
            <source>Sound as a spectrogram</source>
            <translation>以频谱图显示声音</translation>
        </message>
        <message>
            <source>Generate</source>
            <translation>生成</translation>
        </message>
        <message>
            <source>Generate a talking clip…</source>
            <translation>生成说话视频…</translation>
        </message>
        <message>
            <source>Render what was chosen</source>
            <translation>渲染已选择的内容</translation>
        </message>
        <message>
            <source>Pause the renders, or go on</source>
            <translation>暂停渲染，或继续</translation>
        </message>
        <message>
            <source>Advice for the log of a render…</source>
            <translation>查看渲染日志的建议…</translation>
        </message>
        <message>
            <source>Model files</source>
            <translation>模型文件</translation>
        </message>
        <message>
            <source>Hand the correction to an editor, or report it…</source>
            <translation>把校正交给剪辑软件，或写成报告…</translation>
        </message>
        <message>
            <source>Take over settings of LiveAvatar…</source>
            <translation>沿用 LiveAvatar 的设置…</translation>
        </message>
    </context>
    <context>
        <name>AnchorsBox</name>
        <message>
            <source>DRIFT AND JUMPS</source>
            <translation>漂移与跳变</translation>
        </message>
        <message>
            <source>Drift: a line</source>
            <translation>漂移：直线</translation>
        </message>
        <message>
            <source>Two anchors; the sound between them is stretched evenly.</source>
            <translation>两个锚点；其间的声音被均匀伸缩。</translation>
        </message>
        <message>
            <source>Jumps: steps</source>
            <translation>跳变：阶梯</translation>
        </message>
        <message>
            <source>Any number of anchors; each moves the sound from there on.</source>
            <translation>锚点数量不限；每个锚点移动其后的声音。</translation>
        </message>
        <message>
            <source>For drift or jumps: drop an anchor where it is wrong and drag the sound there until it fits.</source>
            <translation>遇到漂移或跳变：在不同步处放置锚点，把那里的声音拖到吻合为止。</translation>
        </message>
        <message numerus="yes">
            <source>%n anchor(s): from each one on, the sound is moved by its own amount.</source>
            <translation>
                <numerusform>%n 个锚点：自每个锚点起，声音各移动自己的量。</numerusform>
            </translation>
        </message>
        <message>
            <source>One anchor moves everything. Drop a second one far away to correct a drift.</source>
            <translation>单个锚点移动全部声音。在较远处再放一个，即可校正漂移。</translation>
        </message>
        <message>
            <source>The sound is stretched along the line through both anchors.</source>
            <translation>声音沿过两个锚点的直线伸缩。</translation>
        </message>
        <message>
            <source>The one at {time} is selected: nudges move the sound there.</source>
            <translation>已选中 {time} 处的锚点：微调只移动那里的声音。</translation>
        </message>
    </context>
    <context>
        <name>BandsBar</name>
        <message>
            <source>{name}: up to {early} ms early, {late} ms late</source>
            <translation>{name}：最多提前 {early} 毫秒、滞后 {late} 毫秒</translation>
        </message>
        <message>
            <source>Threshold of detection ({name})</source>
            <translation>察觉阈值（{name}）</translation>
        </message>
        <message>
            <source>Threshold of acceptance ({name})</source>
            <translation>可接受阈值（{name}）</translation>
        </message>
        <message>
            <source>early</source>
            <translation>偏早</translation>
        </message>
        <message>
            <source>late</source>
            <translation>偏晚</translation>
        </message>
    </context>
    <context>
        <name>BlindTestPage</name>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>Blind test</source>
            <translation>盲测</translation>
        </message>
        <message>
            <source>Play A</source>
            <translation>播放 A</translation>
        </message>
        <message>
            <source>Play B</source>
            <translation>播放 B</translation>
        </message>
        <message>
            <source>A looks right</source>
            <translation>A 看起来对</translation>
        </message>
        <message>
            <source>B looks right</source>
            <translation>B 看起来对</translation>
        </message>
        <message>
            <source>I see no difference</source>
            <translation>我看不出区别</translation>
        </message>
        <message>
            <source>Which one looks right?</source>
            <translation>哪个看起来对？</translation>
        </message>
        <message>
            <source>Pair {number} of {count}. One of them is the clip as it is, the other one is corrected.</source>
            <translation>第 {number} 对，共 {count} 对。其中一个是原片段，另一个经过校正。</translation>
        </message>
        <message>
            <source>You could not tell them apart</source>
            <translation>您分辨不出两者</translation>
        </message>
        <message>
            <source>The correction looks right to you</source>
            <translation>您觉得校正后的对</translation>
        </message>
        <message>
            <source>The clip as it was looks right to you</source>
            <translation>您觉得原来的对</translation>
        </message>
        <message>
            <source>Corrected: {new}, as it was: {old}, no difference: {same}. Somebody who guesses gets a result this clear in {percent} % of tests.</source>
            <translation>选校正后：{new}，选原来：{old}，无区别：{same}。单凭猜测，{percent} % 的测试也会得到这么明显的结果。</translation>
        </message>
    </context>
    <context>
        <name>CommandPalette</name>
        <message>
            <source>Commands</source>
            <translation>命令</translation>
        </message>
        <message>
            <source>What do you want to do?</source>
            <translation>您想做什么？</translation>
        </message>
        <message>
            <source>Nothing is called like this. Try another word.</source>
            <translation>没有这样的命令。请换个词试试。</translation>
        </message>
    </context>
    <context>
        <name>DoctorPanel</name>
        <message>
            <source>SOUND DOCTOR</source>
            <translation>声音诊断</translation>
        </message>
        <message>
            <source>Examine again</source>
            <translation>重新检查</translation>
        </message>
        <message>
            <source>Write a voice file</source>
            <translation>写出语音文件</translation>
        </message>
        <message>
            <source>16 kHz, mono, one level: what speech models expect. The clip stays.</source>
            <translation>16 kHz、单声道、统一响度：语音模型需要的格式。原片段不变。</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Listening to the whole sound…</source>
            <translation>正在听完整段声音…</translation>
        </message>
        <message>
            <source>Open a clip and the doctor looks at its sound.</source>
            <translation>打开一个片段，诊断会检查它的声音。</translation>
        </message>
        <message>
            <source>Nothing unusual: clean sound.</source>
            <translation>没有异常：声音干净。</translation>
        </message>
        <message numerus="yes">
            <source>%n finding(s), the worst first.</source>
            <translation>
                <numerusform>共发现 %n 项。</numerusform>
            </translation>
        </message>
        <message>
            <source>Show this place</source>
            <translation>显示此处</translation>
        </message>
        <message>
            <source>Fix in a voice file</source>
            <translation>在语音文件中修复</translation>
        </message>
        <message>
            <source>Fix everything possible in a copy</source>
            <translation>在副本中修复所有可修复项</translation>
        </message>
        <message>
            <source>The picture is copied, the sound encoded again. The clip stays as it is.</source>
            <translation>画面原样复制，声音重新编码。原片段保持不变。</translation>
        </message>
        <message>
            <source>Make it {db} dB louder in a copy</source>
            <translation>在副本中提高 {db} dB</translation>
        </message>
        <message>
            <source>Make it {db} dB quieter in a copy</source>
            <translation>在副本中降低 {db} dB</translation>
        </message>
        <message>
            <source>Fix in a copy</source>
            <translation>在副本中修复</translation>
        </message>
        <message>
            <source>Move the sound {ms} ms earlier</source>
            <translation>将声音前移 {ms} 毫秒</translation>
        </message>
        <message>
            <source>Write it at {rate} Hz</source>
            <translation>以 {rate} Hz 写出</translation>
        </message>
        <message>
            <source>Not examined yet.</source>
            <translation>尚未检查。</translation>
        </message>
    </context>
    <context>
        <name>Document</name>
        <message>
            <source>Marker added</source>
            <translation>添加标记</translation>
        </message>
        <message>
            <source>Marker removed</source>
            <translation>移除标记</translation>
        </message>
        <message>
            <source>Range chosen</source>
            <translation>选择范围</translation>
        </message>
        <message>
            <source>Anchor dropped at {time}</source>
            <translation>在 {time} 放置锚点</translation>
        </message>
        <message>
            <source>Anchor moved in time</source>
            <translation>沿时间移动锚点</translation>
        </message>
        <message>
            <source>Anchor removed</source>
            <translation>删除锚点</translation>
        </message>
        <message>
            <source>Anchors removed</source>
            <translation>删除全部锚点</translation>
        </message>
        <message>
            <source>Anchors joined by a line</source>
            <translation>锚点以直线相连</translation>
        </message>
        <message>
            <source>Anchors made steps</source>
            <translation>锚点改为阶梯</translation>
        </message>
        <message>
            <source>Marker moved</source>
            <translation>移动标记</translation>
        </message>
        <message>
            <source>Marker named</source>
            <translation>命名标记</translation>
        </message>
    </context>
    <context>
        <name>Dragging</name>
        <message>
            <source>Sound dragged</source>
            <translation>拖动声音</translation>
        </message>
        <message>
            <source>Sound dragged to the measured offset</source>
            <translation>声音拖到测得的偏移</translation>
        </message>
        <message>
            <source>Sound dragged back to zero</source>
            <translation>声音拖回零点</translation>
        </message>
        <message>
            <source>Sound dragged by whole frames</source>
            <translation>声音按整帧拖动</translation>
        </message>
        <message>
            <source>Burst dragged onto its lips</source>
            <translation>爆破音对齐口型</translation>
        </message>
        <message>
            <source>Anchor dragged</source>
            <translation>拖动锚点</translation>
        </message>
        <message>
            <source>Anchor dragged to the measured offset</source>
            <translation>将锚点拖到测得的偏移处</translation>
        </message>
        <message>
            <source>Anchor dragged back to zero</source>
            <translation>将锚点拖回零位</translation>
        </message>
        <message>
            <source>Anchor dragged by whole frames</source>
            <translation>按整帧拖动锚点</translation>
        </message>
        <message>
            <source>Burst at the anchor dragged onto its lips</source>
            <translation>将锚点处的爆破音拖到双唇张开处</translation>
        </message>
    </context>
    <context>
        <name>DropOverlay</name>
        <message>
            <source>Picture</source>
            <translation>画面</translation>
        </message>
        <message>
            <source>Open this clip</source>
            <translation>打开这个片段</translation>
        </message>
        <message>
            <source>Voice</source>
            <translation>语音</translation>
        </message>
        <message>
            <source>Use this sound instead of the clip's own</source>
            <translation>用这段声音代替片段自带的声音</translation>
        </message>
        <message>
            <source>Queue</source>
            <translation>队列</translation>
        </message>
        <message>
            <source>Measure all of them in the background</source>
            <translation>在后台测量全部文件</translation>
        </message>
        <message>
            <source>Face</source>
            <translation>人脸</translation>
        </message>
        <message>
            <source>Render: this is who speaks</source>
            <translation>渲染：由这个人来说话</translation>
        </message>
        <message>
            <source>Render: this is what is said</source>
            <translation>渲染：要说的就是这段声音</translation>
        </message>
        <message>
            <source>Face and voice</source>
            <translation>人脸和声音</translation>
        </message>
        <message>
            <source>Render this face saying this</source>
            <translation>让这张脸说出这段话</translation>
        </message>
    </context>
    <context>
        <name>EngineCard</name>
        <message>
            <source>broken</source>
            <translation>已损坏</translation>
        </message>
        <message>
            <source>not ready</source>
            <translation>未就绪</translation>
        </message>
        <message>
            <source>ready</source>
            <translation>就绪</translation>
        </message>
        <message>
            <source>Look at the model files…</source>
            <translation>查看模型文件…</translation>
        </message>
        <message>
            <source>Measure its own offset on this machine</source>
            <translation>测量它在这台机器上的自身偏移</translation>
        </message>
        <message>
            <source>Renders a drawn face that says “peak, top, kick”, measures it and offers the result next time</source>
            <translation>渲染一张说“peak, top, kick”的手绘人脸，测量后在下次提供结果</translation>
        </message>
        <message>
            <source>and {count} more</source>
            <translation>另外还有 {count} 项</translation>
        </message>
        <message>
            <source>Take over settings…</source>
            <translation>沿用已有设置…</translation>
        </message>
        <message>
            <source>From a command line or the web page of the published program</source>
            <translation>来自官方程序的命令行或网页界面</translation>
        </message>
    </context>
    <context>
        <name>EnginePicker</name>
        <message>
            <source>Looking for engines…</source>
            <translation>正在查找引擎…</translation>
        </message>
        <message>
            <source>No engine was found in this installation.</source>
            <translation>此安装中没有找到引擎。</translation>
        </message>
    </context>
    <context>
        <name>EstimateLine</name>
        <message>
            <source>takes about {time}</source>
            <translation>约需 {time}</translation>
        </message>
        <message>
            <source>{size} memory</source>
            <translation>内存 {size}</translation>
        </message>
        <message>
            <source>{size} graphics memory</source>
            <translation>显存 {size}</translation>
        </message>
        <message>
            <source>{size} disk</source>
            <translation>磁盘 {size}</translation>
        </message>
        <message>
            <source>Estimating…</source>
            <translation>正在估算…</translation>
        </message>
        <message>
            <source>Use what was measured</source>
            <translation>使用测得的值</translation>
        </message>
    </context>
    <context>
        <name>ExportPanel</name>
        <message>
            <source>The clip is out of sync and nothing is corrected yet: the copy will be no better.</source>
            <translation>该片段不同步，且尚未做任何校正：副本不会更好。</translation>
        </message>
        <message>
            <source>EXPORT A CORRECTED COPY</source>
            <translation>导出校正后的副本</translation>
        </message>
        <message>
            <source>Lossless</source>
            <translation>无损</translation>
        </message>
        <message>
            <source>Copies picture and sound as they are and only changes when the sound is played. Takes seconds.</source>
            <translation>原样复制画面和声音，只改变声音的播放时间。几秒钟即可完成。</translation>
        </message>
        <message>
            <source>Compatible</source>
            <translation>兼容</translation>
        </message>
        <message>
            <source>Copies the picture and encodes the sound again, so that every player and editor agrees.</source>
            <translation>复制画面并重新编码声音，让所有播放器和剪辑软件表现一致。</translation>
        </message>
        <message>
            <source>Stretched</source>
            <translation>拉伸</translation>
        </message>
        <message>
            <source>For a drift: copies the picture and re-times the sound along a line, at the same pitch.</source>
            <translation>用于漂移：复制画面，沿直线调整声音的时间，音高不变。</translation>
        </message>
        <message>
            <source>In pieces</source>
            <translation>分段</translation>
        </message>
        <message>
            <source>For jumps: copies the picture and moves each stretch of the sound by its own amount.</source>
            <translation>用于跳变：复制画面，把声音的每一段移动各自的量。</translation>
        </message>
        <message>
            <source>FILE</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>The file that will be written</source>
            <translation>将要写出的文件</translation>
        </message>
        <message>
            <source>Change…</source>
            <translation>更改…</translation>
        </message>
        <message>
            <source>THE SAME FOR A TERMINAL</source>
            <translation>等效的命令行</translation>
        </message>
        <message>
            <source>Copy</source>
            <translation>复制</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>Play it</source>
            <translation>播放</translation>
        </message>
        <message>
            <source>WRITING</source>
            <translation>正在写出</translation>
        </message>
        <message>
            <source>MEASURING THE NEW FILE</source>
            <translation>正在测量新文件</translation>
        </message>
        <message>
            <source>NOT EXPORTED</source>
            <translation>未导出</translation>
        </message>
        <message>
            <source>DONE</source>
            <translation>完成</translation>
        </message>
        <message>
            <source>Measured again: {verdict}</source>
            <translation>再次测量：{verdict}</translation>
        </message>
        <message>
            <source>{file} is written: {asked}.</source>
            <translation>已写出 {file}：{asked}。</translation>
        </message>
        <message>
            <source>{file} is written. Asked: {asked}. The file has: {got}.</source>
            <translation>已写出 {file}。要求：{asked}。文件实际：{got}。</translation>
        </message>
        <message>
            <source>Export to</source>
            <translation>导出到</translation>
        </message>
        <message>
            <source>Replace the file?</source>
            <translation>替换文件？</translation>
        </message>
        <message>
            <source>{file} exists already. Replace it?</source>
            <translation>{file} 已经存在。要替换它吗？</translation>
        </message>
        <message>
            <source>The same for a terminal</source>
            <translation>等效的命令行</translation>
        </message>
        <message>
            <source>Copy the command line</source>
            <translation>复制命令行</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>替换</translation>
        </message>
        <message>
            <source>Keep it</source>
            <translation>保留原文件</translation>
        </message>
    </context>
    <context>
        <name>FaceAndVoice</name>
        <message>
            <source>FACE AND VOICE</source>
            <translation>人脸和声音</translation>
        </message>
        <message>
            <source>Face</source>
            <translation>人脸</translation>
        </message>
        <message>
            <source>a picture or a video</source>
            <translation>图片或视频</translation>
        </message>
        <message>
            <source>Take it away</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>Voice</source>
            <translation>声音</translation>
        </message>
        <message>
            <source>what is to be said</source>
            <translation>要说的话</translation>
        </message>
        <message>
            <source>Use the video's own voice</source>
            <translation>使用视频自带的声音</translation>
        </message>
        <message>
            <source>The face: a picture or a video</source>
            <translation>人脸：图片或视频</translation>
        </message>
        <message>
            <source>The voice: a recording, or a video with sound</source>
            <translation>声音：录音，或有声音的视频</translation>
        </message>
        <message>
            <source>Use the face that is found</source>
            <translation>使用自动找到的人脸</translation>
        </message>
        <message>
            <source>Mark the face by hand</source>
            <translation>手动标出人脸</translation>
        </message>
    </context>
    <context>
        <name>GenerationPage</name>
        <message>
            <source>Generate</source>
            <translation>生成</translation>
        </message>
        <message>
            <source>ENGINE</source>
            <translation>引擎</translation>
        </message>
        <message>
            <source>FILE</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>The file that will be written</source>
            <translation>将要写入的文件</translation>
        </message>
        <message>
            <source>Change…</source>
            <translation>更改…</translation>
        </message>
        <message>
            <source>Drop a face and a voice</source>
            <translation>拖入一张脸和一段声音</translation>
        </message>
        <message>
            <source>A picture or a video of one person, and a recording of what is to be said. Everything is rendered on this computer and checked for sync before you see it.</source>
            <translation>一个人的图片或视频，加上一段要说的录音。全部在这台电脑上渲染，先检查是否同步，再给你看。</translation>
        </message>
        <message>
            <source>Render to</source>
            <translation>渲染到</translation>
        </message>
        <message>
            <source>Choose a face and a voice first</source>
            <translation>请先选择人脸和声音</translation>
        </message>
        <message>
            <source>This engine is not ready: its card says what is missing</source>
            <translation>此引擎未就绪：缺什么请看它的卡片</translation>
        </message>
        <message>
            <source>Render next</source>
            <translation>接着渲染</translation>
        </message>
        <message>
            <source>Render</source>
            <translation>渲染</translation>
        </message>
        <message>
            <source>right eye (left in the picture)</source>
            <translation>右眼（画面左侧）</translation>
        </message>
        <message>
            <source>left eye (right in the picture)</source>
            <translation>左眼（画面右侧）</translation>
        </message>
        <message>
            <source>right corner of the mouth</source>
            <translation>右嘴角</translation>
        </message>
        <message>
            <source>left corner of the mouth</source>
            <translation>左嘴角</translation>
        </message>
        <message>
            <source>Drag the dots to both eyes and both corners of the mouth.</source>
            <translation>把圆点拖到两只眼睛和两个嘴角。</translation>
        </message>
        <message>
            <source>Renders ({count})</source>
            <translation>渲染列表（{count}）</translation>
        </message>
        <message>
            <source>Renders</source>
            <translation>渲染列表</translation>
        </message>
        <message>
            <source>New render</source>
            <translation>新的渲染</translation>
        </message>
    </context>
    <context>
        <name>Header</name>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>about {rate} fps, varying</source>
            <translation>约 {rate} fps,可变</translation>
        </message>
        <message>
            <source>{rate} fps</source>
            <translation>{rate} fps</translation>
        </message>
        <message>
            <source>sound: {file}</source>
            <translation>声音：{file}</translation>
        </message>
    </context>
    <context>
        <name>Hints</name>
        <message>
            <source>Drag: move the sound · hold {shift}: do not snap · double-click: put it back</source>
            <translation>拖动：移动声音 · 按住 {shift}：不吸附 · 双击：放回原处</translation>
        </message>
        <message>
            <source>Wheel: pan · {ctrl}+wheel: zoom · {shift}+wheel: height of the sound · {alt}+wheel: one frame</source>
            <translation>滚轮：平移 · {ctrl}+滚轮：缩放 · {shift}+滚轮：声音高度 · {alt}+滚轮：一帧</translation>
        </message>
        <message>
            <source>on the measured offset</source>
            <translation>位于测得的偏移</translation>
        </message>
        <message>
            <source>on the frame grid</source>
            <translation>位于帧网格</translation>
        </message>
        <message>
            <source>as in the file</source>
            <translation>与文件中相同</translation>
        </message>
        <message>
            <source>a burst on its lips</source>
            <translation>爆破音与口型对齐</translation>
        </message>
        <message>
            <source>Drag: move the sound at the anchor · double-click: repeat two seconds · {ctrl}+drag: move the anchor in time · {shift}: do not snap · Del: remove</source>
            <translation>拖动：移动锚点处的声音 · 双击：循环播放两秒 · {ctrl}+拖动：沿时间移动锚点 · {shift}：不吸附 · Del：删除</translation>
        </message>
        <message>
            <source>Drag: move the marker · double-click: name it · Del: remove</source>
            <translation>拖动：移动标记 · 双击：命名 · Del：删除</translation>
        </message>
        <message>
            <source>{ms} ms later</source>
            <translation>后移 {ms} 毫秒</translation>
        </message>
        <message>
            <source>{ms} ms earlier</source>
            <translation>前移 {ms} 毫秒</translation>
        </message>
    </context>
    <context>
        <name>HistoryPanel</name>
        <message>
            <source>WHAT WAS DONE, AND WHY</source>
            <translation>做过什么，为什么</translation>
        </message>
        <message>
            <source>As it was opened</source>
            <translation>刚打开时</translation>
        </message>
        <message>
            <source>History</source>
            <translation>历史</translation>
        </message>
    </context>
    <context>
        <name>LogPage</name>
        <message>
            <source>Log</source>
            <translation>日志</translation>
        </message>
        <message>
            <source>Which log</source>
            <translation>哪个日志</translation>
        </message>
        <message>
            <source>Copy all</source>
            <translation>全部复制</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>Nothing was written down yet.</source>
            <translation>还没有任何记录。</translation>
        </message>
    </context>
    <context>
        <name>Dialogs</name>
        <message>
            <source>Recover?</source>
            <translation>恢复？</translation>
        </message>
        <message>
            <source>Open it as it was</source>
            <translation>按当时的状态打开</translation>
        </message>
        <message>
            <source>Throw it away</source>
            <translation>丢弃</translation>
        </message>
        <message>
            <source>Close without saving?</source>
            <translation>不保存就关闭？</translation>
        </message>
        <message>
            <source>Close without saving</source>
            <translation>不保存并关闭</translation>
        </message>
        <message>
            <source>Keep it open</source>
            <translation>不关闭</translation>
        </message>
        <message>
            <source>Plosive was not closed properly while {file} was open. Open it as it was?</source>
            <translation>上次打开 {file} 时 Plosive 没有正常关闭。要按当时的状态打开吗？</translation>
        </message>
        <message>
            <source>{reason} Close anyway?</source>
            <translation>{reason}仍要关闭吗？</translation>
        </message>
    </context>
    <context>
        <name>FirstSteps</name>
        <message>
            <source>The sound is late here. Drag the bar above it to the left until it catches.</source>
            <translation>这里的声音晚了。请把它上方的横条向左拖，直到吸住为止。</translation>
        </message>
        <message>
            <source>{play} plays it, {compare} plays it as it was. {export} writes the corrected copy.</source>
            <translation>按 {play} 播放，按 {compare} 听未校正的，按 {export} 导出校正后的副本。</translation>
        </message>
    </context>
    <context>
        <name>FileDialogs</name>
        <message>
            <source>Replace the project?</source>
            <translation>替换项目？</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>替换</translation>
        </message>
        <message>
            <source>Keep it</source>
            <translation>保留</translation>
        </message>
        <message>
            <source>{file} was saved by another window or computer after it was opened here. Replace it by what is open here?</source>
            <translation>{file} 在这里打开之后，又被另一个窗口或另一台电脑保存过。要用这里打开的内容替换它吗？</translation>
        </message>
        <message>
            <source>Measure all clips of a folder</source>
            <translation>测量文件夹中的所有片段</translation>
        </message>
        <message>
            <source>Save project</source>
            <translation>保存项目</translation>
        </message>
        <message>
            <source>Open a clip or a project</source>
            <translation>打开片段或项目</translation>
        </message>
        <message>
            <source>Sound for this clip</source>
            <translation>此片段的声音</translation>
        </message>
        <message>
            <source>Log of a render</source>
            <translation>渲染日志</translation>
        </message>
        <message>
            <source>Where is {file} now?</source>
            <translation>{file} 现在在哪里？</translation>
        </message>
    </context>
    <context>
        <name>Intake</name>
        <message>
            <source>No path of a file was copied.</source>
            <translation>没有复制任何文件路径。</translation>
        </message>
    </context>
    <context>
        <name>MainWindow</name>
        <message>
            <source>Encoder's delay taken off</source>
            <translation>去除编码器延迟</translation>
        </message>
        <message>
            <source>Sync</source>
            <translation>同步</translation>
        </message>
        <message>
            <source>Doctor</source>
            <translation>诊断</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>History</source>
            <translation>历史</translation>
        </message>
    </context>
    <context>
        <name>Menus</name>
        <message>
            <source>Open again</source>
            <translation>再次打开</translation>
        </message>
    </context>
    <context>
        <name>Notices</name>
        <message>
            <source>Clips of the queue are waiting since last time.</source>
            <translation>队列中还有上次未完成的片段。</translation>
        </message>
        <message>
            <source>Renders are waiting since last time.</source>
            <translation>还有上次未完成的渲染。</translation>
        </message>
        <message>
            <source>Plosive crashed last time. The details are in the log.</source>
            <translation>Plosive 上次崩溃了。详细信息在日志里。</translation>
        </message>
        <message>
            <source>Something went wrong. What is open is safe; the details are in the log.</source>
            <translation>出错了。已打开的内容是安全的；详细信息在日志里。</translation>
        </message>
        <message>
            <source>Exported</source>
            <translation>已导出</translation>
        </message>
        <message>
            <source>The queue is done</source>
            <translation>队列已完成</translation>
        </message>
        <message>
            <source>A render is done</source>
            <translation>一个渲染已完成</translation>
        </message>
        <message>
            <source>A render failed</source>
            <translation>一个渲染失败了</translation>
        </message>
        <message>
            <source>{file} is written.</source>
            <translation>已写出 {file}。</translation>
        </message>
        <message>
            <source>Show the log</source>
            <translation>查看日志</translation>
        </message>
        <message>
            <source>Open it again</source>
            <translation>重新打开</translation>
        </message>
        <message>
            <source>Use it for this clip</source>
            <translation>用于此片段</translation>
        </message>
        <message>
            <source>Show the queue</source>
            <translation>查看队列</translation>
        </message>
        <message>
            <source>The voice is in {file}.</source>
            <translation>语音已写入 {file}。</translation>
        </message>
        <message>
            <source>The sound at its true speed is in {file}.</source>
            <translation>恢复正确速度的声音已写入 {file}。</translation>
        </message>
        <message>
            <source>The queue is done: {summary}.</source>
            <translation>队列已完成：{summary}。</translation>
        </message>
        <message>
            <source>Open on the timeline</source>
            <translation>在时间线上打开</translation>
        </message>
        <message>
            <source>Show the renders</source>
            <translation>显示渲染</translation>
        </message>
        <message>
            <source>{file} is rendered. {verdict}</source>
            <translation>{file} 渲染完成。{verdict}</translation>
        </message>
    </context>
    <context>
        <name>TimelineMenu</name>
        <message>
            <source>Go here</source>
            <translation>转到此处</translation>
        </message>
        <message>
            <source>Mark this moment</source>
            <translation>在此处做标记</translation>
        </message>
        <message>
            <source>Drop an anchor here</source>
            <translation>在此放置锚点</translation>
        </message>
        <message>
            <source>Measure here</source>
            <translation>测量此处</translation>
        </message>
        <message>
            <source>Range begins here</source>
            <translation>选区从这里开始</translation>
        </message>
        <message>
            <source>Range ends here</source>
            <translation>选区到这里结束</translation>
        </message>
        <message>
            <source>Remove the mark</source>
            <translation>移除标记</translation>
        </message>
        <message>
            <source>Remove the anchor</source>
            <translation>删除锚点</translation>
        </message>
    </context>
    <context>
        <name>MarkerField</name>
        <message>
            <source>Name of the marker</source>
            <translation>标记名称</translation>
        </message>
    </context>
    <context>
        <name>ModelRow</name>
        <message>
            <source>Verify</source>
            <translation>校验</translation>
        </message>
        <message>
            <source>Download</source>
            <translation>下载</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Read the whole file and compare its checksum with the official one</source>
            <translation>读取整个文件，与官方校验和比较</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>{size} GB</source>
            <translation>{size} GB</translation>
        </message>
        <message>
            <source>licence: {licence}</source>
            <translation>许可：{licence}</translation>
        </message>
        <message>
            <source>looking…</source>
            <translation>正在查找…</translation>
        </message>
        <message>
            <source>missing</source>
            <translation>缺少</translation>
        </message>
        <message>
            <source>not needed, but useful</source>
            <translation>可选，但有用</translation>
        </message>
        <message>
            <source>Which version this is cannot be told from the file; verify it to be sure.</source>
            <translation>从文件看不出是哪个版本；请校验以确认。</translation>
        </message>
        <message>
            <source>Not on the Hugging Face hub: get it from {source} and point to its folder.</source>
            <translation>不在 Hugging Face 上：请从 {source} 获取，然后指定它所在的文件夹。</translation>
        </message>
        <message>
            <source>not stated</source>
            <translation>未说明</translation>
        </message>
        <message>
            <source>unknown size</source>
            <translation>大小未知</translation>
        </message>
        <message>
            <source>Download?</source>
            <translation>下载？</translation>
        </message>
        <message>
            <source>Fetch {title} ({size}) from {repository} on the Hugging Face hub into {folder}?

Its licence: {licence}. A download that stops goes on where it was.</source>
            <translation>从 Hugging Face 的 {repository} 下载 {title}（{size}）到 {folder}？

许可：{licence}。下载中断后会从断点继续。</translation>
        </message>
    </context>
    <context>
        <name>ModelsPage</name>
        <message>
            <source>Model files</source>
            <translation>模型文件</translation>
        </message>
        <message>
            <source>The neural engines work with their makers' official files. Point to a folder that has them already, import a folder, or download what is missing. Nothing is fetched unless you press Download.</source>
            <translation>神经引擎使用其作者发布的官方文件。可以指定已有这些文件的文件夹、导入文件夹，或下载缺少的文件。只有按下“下载”时才会联网。</translation>
        </message>
        <message>
            <source>Use a folder…</source>
            <translation>使用文件夹…</translation>
        </message>
        <message>
            <source>The files stay where they are</source>
            <translation>文件留在原处</translation>
        </message>
        <message>
            <source>Import a folder…</source>
            <translation>导入文件夹…</translation>
        </message>
        <message>
            <source>Copies the official files of a folder into the program's own</source>
            <translation>把文件夹中的官方文件复制到程序自己的文件夹</translation>
        </message>
        <message>
            <source>Look again</source>
            <translation>重新查找</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>FOLDERS</source>
            <translation>文件夹</translation>
        </message>
        <message>
            <source>{here} of {count} here</source>
            <translation>已有 {here} / {count}</translation>
        </message>
        <message>
            <source>Looking…</source>
            <translation>正在查找…</translation>
        </message>
        <message>
            <source>{here} of {count} known files are here</source>
            <translation>已知文件 {count} 个，已有 {here} 个</translation>
        </message>
        <message>
            <source>A folder with model files</source>
            <translation>存放模型文件的文件夹</translation>
        </message>
        <message>
            <source>Import model files from</source>
            <translation>从这里导入模型文件</translation>
        </message>
    </context>
    <context>
        <name>MoveBox</name>
        <message>
            <source>not moved</source>
            <translation>未移动</translation>
        </message>
        <message>
            <source>later</source>
            <translation>推后</translation>
        </message>
        <message>
            <source>earlier</source>
            <translation>提前</translation>
        </message>
        <message>
            <source>{ms} ms {side}</source>
            <translation>{side} {ms} 毫秒</translation>
        </message>
    </context>
    <context>
        <name>Player</name>
        <message>
            <source>No sound device was found: the clip plays in silence.</source>
            <translation>没有找到声音设备：片段将静音播放。</translation>
        </message>
        <message>
            <source>The sound device has stopped: the clip goes on in silence. Once the device is back, play again; if it stays silent, start Plosive anew.</source>
            <translation>声音设备已停止：片段继续静音播放。设备恢复后请再次播放；如果仍没有声音，请重新启动 Plosive。</translation>
        </message>
    </context>
    <context>
        <name>Preview</name>
        <message>
            <source>Before</source>
            <translation>校正前</translation>
        </message>
        <message>
            <source>After</source>
            <translation>校正后</translation>
        </message>
        <message>
            <source>Preview</source>
            <translation>预览</translation>
        </message>
        <message>
            <source>Measure the lips of person {number}</source>
            <translation>测量第 {number} 个人的嘴唇</translation>
        </message>
    </context>
    <context>
        <name>PromptBox</name>
        <message>
            <source>Prompt</source>
            <translation>提示词</translation>
        </message>
        <message>
            <source>A woman speaks calmly to the camera, synchronized to speech</source>
            <translation>一位女士平静地对着镜头说话，口型与语音同步</translation>
        </message>
        <message>
            <source>Who speaks, in which mood, how much they move. A mood that fits the voice looks best.</source>
            <translation>谁在说话、什么情绪、动作多大。情绪与声音相符时效果最好。</translation>
        </message>
        <message>
            <source>Check against the voice</source>
            <translation>与声音核对</translation>
        </message>
        <message>
            <source>Say it like this</source>
            <translation>改用这种说法</translation>
        </message>
        <message>
            <source>One part for every ten seconds</source>
            <translation>每十秒一段</translation>
        </message>
        <message>
            <source>Listening to the voice…</source>
            <translation>正在听声音…</translation>
        </message>
        <message>
            <source>The prompt fits the voice.</source>
            <translation>提示词与声音相符。</translation>
        </message>
        <message>
            <source>In use: {count} parts, one for every ten seconds.</source>
            <translation>正在使用：{count} 段，每十秒一段。</translation>
        </message>
    </context>
    <context>
        <name>QueuePage</name>
        <message>
            <source>waiting to be measured again</source>
            <translation>等待重新测量</translation>
        </message>
        <message>
            <source>measuring the copy</source>
            <translation>正在测量副本</translation>
        </message>
        <message>
            <source>The copy: {verdict}</source>
            <translation>副本：{verdict}</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Sound</source>
            <translation>声音</translation>
        </message>
        <message>
            <source>Sure</source>
            <translation>把握</translation>
        </message>
        <message>
            <source>Drift</source>
            <translation>漂移</translation>
        </message>
        <message>
            <source>State</source>
            <translation>状态</translation>
        </message>
        <message>
            <source>Verdict</source>
            <translation>结论</translation>
        </message>
        <message>
            <source>Queue</source>
            <translation>队列</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Remove from the list</source>
            <translation>从列表移除</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message numerus="yes">
            <source>%n clip(s), {measured} measured, {out} out of sync</source>
            <translation>
                <numerusform>%n 个片段，{measured} 个已测量，{out} 个不同步</numerusform>
            </translation>
        </message>
        <message>
            <source>Fix all that are out of sync</source>
            <translation>校正所有不同步的</translation>
        </message>
        <message>
            <source>Fix the chosen ones ({count})</source>
            <translation>校正所选（{count}）</translation>
        </message>
        <message>
            <source>Fix all that are out of sync ({count})</source>
            <translation>校正所有不同步的（{count}）</translation>
        </message>
        <message>
            <source>Go on</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message>
            <source>waiting</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>measuring</source>
            <translation>正在测量</translation>
        </message>
        <message>
            <source>measured</source>
            <translation>已测量</translation>
        </message>
        <message>
            <source>waiting to be written</source>
            <translation>等待写出</translation>
        </message>
        <message>
            <source>writing</source>
            <translation>正在写出</translation>
        </message>
        <message>
            <source>fixed: {file}</source>
            <translation>已校正：{file}</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>cancelled</source>
            <translation>已取消</translation>
        </message>
        <message>
            <source>, {time} left</source>
            <translation>，剩余 {time}</translation>
        </message>
        <message>
            <source>, {speed} fps</source>
            <translation>，{speed} 帧/秒</translation>
        </message>
        <message>
            <source>Play the copy</source>
            <translation>播放副本</translation>
        </message>
        <message>
            <source>What happened</source>
            <translation>处理记录</translation>
        </message>
        <message>
            <source>Open</source>
            <translation>打开</translation>
        </message>
        <message>
            <source>Open the copy</source>
            <translation>打开副本</translation>
        </message>
        <message>
            <source>Drop clips or a folder here. All are measured in the background; then fix those that need it.</source>
            <translation>把片段或文件夹拖到这里。全部在后台测量，然后修正需要修正的片段。</translation>
        </message>
    </context>
    <context>
        <name>RenderForm</name>
        <message>
            <source>SETTINGS OF {engine}</source>
            <translation>{engine} 的设置</translation>
        </message>
        <message>
            <source>CLIP</source>
            <translation>视频</translation>
        </message>
        <message>
            <source>PRESET</source>
            <translation>预设</translation>
        </message>
        <message>
            <source>Another seed</source>
            <translation>换一个种子</translation>
        </message>
        <message>
            <source>Memory, devices and quality</source>
            <translation>内存、设备和画质</translation>
        </message>
        <message>
            <source>Back to what is recommended</source>
            <translation>恢复推荐值</translation>
        </message>
        <message>
            <source>Back to {value}, which is recommended</source>
            <translation>恢复推荐值 {value}</translation>
        </message>
        <message>
            <source>Frame rate</source>
            <translation>帧率</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>尺寸</translation>
        </message>
        <message>
            <source>When voice and video differ in length</source>
            <translation>声音与视频长度不同时</translation>
        </message>
        <message>
            <source>In pauses</source>
            <translation>停顿时</translation>
        </message>
        <message>
            <source>Which face</source>
            <translation>哪张脸</translation>
        </message>
        <message>
            <source>Seed</source>
            <translation>随机种子</translation>
        </message>
        <message>
            <source>Same choices, same seed, same pictures.</source>
            <translation>选择相同、种子相同，画面就相同。</translation>
        </message>
        <message>
            <source>Move the mouth</source>
            <translation>移动口型</translation>
        </message>
        <message>
            <source>Moves what drives the mouth against the sound that is heard, which stays where it is.</source>
            <translation>移动驱动口型的声音；听到的声音保持不动。</translation>
        </message>
        <message>
            <source>Keep finished work every</source>
            <translation>每隔多久保存成果</translation>
        </message>
        <message>
            <source>A stopped render goes on from there.</source>
            <translation>停下的渲染会从那里继续。</translation>
        </message>
        <message>
            <source>Continue from decoded pictures</source>
            <translation>从解码后的画面继续</translation>
        </message>
        <message>
            <source>Devices</source>
            <translation>设备</translation>
        </message>
        <message>
            <source>auto, cpu, or cards such as cuda:0, cuda:1.</source>
            <translation>auto、cpu，或 cuda:0、cuda:1 这样的显卡。</translation>
        </message>
        <message>
            <source>Weights wait in main memory</source>
            <translation>权重暂存到内存</translation>
        </message>
        <message>
            <source>Saves graphics memory and costs time.</source>
            <translation>节省显存，但更花时间。</translation>
        </message>
        <message>
            <source>Number format</source>
            <translation>数值格式</translation>
        </message>
        <message>
            <source>May get smaller</source>
            <translation>允许缩小</translation>
        </message>
        <message>
            <source>When memory does not suffice, a smaller clip is better than none.</source>
            <translation>内存不够时，小一点的视频总比没有好。</translation>
        </message>
        <message>
            <source>Take out the engine's own offset</source>
            <translation>消除引擎自身的偏移</translation>
        </message>
        <message>
            <source>A constant offset that is measured in the result is removed by moving its sound.</source>
            <translation>在结果中测得的固定偏移，通过移动声音来消除。</translation>
        </message>
        <message>
            <source>Picture quality (CRF)</source>
            <translation>画质（CRF）</translation>
        </message>
        <message>
            <source>Smaller is better; 16 cannot be told from the original.</source>
            <translation>越小越好；16 与原画面看不出差别。</translation>
        </message>
        <message>
            <source>As the face</source>
            <translation>与人脸画面相同</translation>
        </message>
        <message>
            <source>End with the voice</source>
            <translation>随声音结束</translation>
        </message>
        <message>
            <source>Hold the last picture</source>
            <translation>停在最后一帧</translation>
        </message>
        <message>
            <source>Repeat the video</source>
            <translation>重复视频</translation>
        </message>
        <message>
            <source>Forth and back</source>
            <translation>来回播放</translation>
        </message>
        <message>
            <source>End with the shorter</source>
            <translation>随较短者结束</translation>
        </message>
        <message>
            <source>Mouth shut</source>
            <translation>闭嘴</translation>
        </message>
        <message>
            <source>As in the original</source>
            <translation>与原画面相同</translation>
        </message>
        <message>
            <source>No. {number} from the left</source>
            <translation>从左数第 {number} 个</translation>
        </message>
        <message>
            <source>The largest</source>
            <translation>最大的一张</translation>
        </message>
        <message>
            <source>{seconds} s</source>
            <translation>{seconds} 秒</translation>
        </message>
        <message>
            <source>By length</source>
            <translation>按长度</translation>
        </message>
        <message>
            <source>As needed</source>
            <translation>按需</translation>
        </message>
        <message>
            <source>Never</source>
            <translation>从不</translation>
        </message>
        <message>
            <source>Part by part</source>
            <translation>逐部分</translation>
        </message>
        <message>
            <source>Layer by layer</source>
            <translation>逐层</translation>
        </message>
        <message>
            <source>{rate} fps</source>
            <translation>{rate} 帧/秒</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>自动</translation>
        </message>
        <message>
            <source>Face</source>
            <translation>人脸</translation>
        </message>
        <message>
            <source>Voice</source>
            <translation>声音</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Prompt</source>
            <translation>提示词</translation>
        </message>
        <message>
            <source>Pictures at most</source>
            <translation>最多帧数</translation>
        </message>
        <message>
            <source>The clip ends there, its sound with it.</source>
            <translation>片段到此结束，声音也随之结束。</translation>
        </message>
        <message>
            <source>From a time on</source>
            <translation>从某一时刻起</translation>
        </message>
        <message>
            <source>Moves the mouth by another amount from a moment on, such as 0:30 20 earlier; 1:05 10 later.</source>
            <translation>从某一时刻起改用另一移动量，例如：0:30 提前 20；1:05 推后 10。</translation>
        </message>
        <message>
            <source>Pictures before the first one</source>
            <translation>首帧之前的帧数</translation>
        </message>
        <message>
            <source>They are drawn while it hears silence and thrown away, so that the first word is in step.</source>
            <translation>引擎先听着静音画出这些帧，随后丢弃，这样第一个字就能对上口型。</translation>
        </message>
        <message>
            <source>Steadier over minutes, a little slower.</source>
            <translation>长时间更稳定，略慢一些。</translation>
        </message>
        <message>
            <source>Pictures at a time</source>
            <translation>每次处理的帧数</translation>
        </message>
        <message>
            <source>Fewer need less memory and take longer.</source>
            <translation>越少越省内存，但用时更长。</translation>
        </message>
        <message>
            <source>Measure the result</source>
            <translation>测量成片</translation>
        </message>
        <message>
            <source>Says how far lips and sound of the finished clip are apart; without it nobody has looked.</source>
            <translation>告诉你成片的口型与声音相差多少；关闭后就没有检查过。</translation>
        </message>
        <message>
            <source>No limit</source>
            <translation>不限</translation>
        </message>
        <message>
            <source>Automatic is the video's own, where the engine can draw it.</source>
            <translation>自动：在引擎支持时沿用视频自身的帧率。</translation>
        </message>
        <message>
            <source>Smaller is faster and needs less memory.</source>
            <translation>尺寸越小越快，也越省内存。</translation>
        </message>
        <message>
            <source>Decides where the clip ends, and what a video does that is too short.</source>
            <translation>决定成片在哪里结束，以及视频太短时如何补足。</translation>
        </message>
        <message>
            <source>What the mouth does while nobody speaks.</source>
            <translation>没人说话时嘴怎么动。</translation>
        </message>
        <message>
            <source>Only this one speaks; all others stay as they are.</source>
            <translation>只有这张脸说话；其他人保持原样。</translation>
        </message>
        <message>
            <source>Fewer bits need less memory; automatic takes what the device is good at.</source>
            <translation>位数越少越省内存；自动则选用设备擅长的格式。</translation>
        </message>
    </context>
    <context>
        <name>RenderList</name>
        <message>
            <source>RENDERS</source>
            <translation>渲染列表</translation>
        </message>
        <message>
            <source>What you render appears here. Several can wait in line; the list survives a restart.</source>
            <translation>渲染的内容会出现在这里。可以排队多个；重启后列表仍在。</translation>
        </message>
        <message>
            <source>Go on</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
    </context>
    <context>
        <name>RenderLogPage</name>
        <message>
            <source>Log of a render</source>
            <translation>渲染日志</translation>
        </message>
        <message>
            <source>Reading…</source>
            <translation>正在读取…</translation>
        </message>
        <message>
            <source>Time per picture, in ms</source>
            <translation>每帧用时（毫秒）</translation>
        </message>
        <message>
            <source>ADVICE</source>
            <translation>建议</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>Pictures timed: {count}</source>
            <translation>已计时的帧数：{count}</translation>
        </message>
        <message>
            <source>No picture was timed in this log.</source>
            <translation>此日志中没有帧的计时。</translation>
        </message>
        <message>
            <source>Nothing in this log gives reason for advice.</source>
            <translation>此日志中没有需要给出建议的地方。</translation>
        </message>
        <message>
            <source>First picture</source>
            <translation>第一帧</translation>
        </message>
        <message>
            <source>Median</source>
            <translation>中位数</translation>
        </message>
        <message>
            <source>95 of 100 pictures below</source>
            <translation>95% 的帧低于</translation>
        </message>
        <message>
            <source>Last tenth</source>
            <translation>最后十分之一</translation>
        </message>
        <message>
            <source>Encoding</source>
            <translation>编码</translation>
        </message>
        <message>
            <source>Loading the voice, per second</source>
            <translation>读取声音，每秒</translation>
        </message>
        <message>
            <source>Features, per second</source>
            <translation>特征提取，每秒</translation>
        </message>
        <message>
            <source>{ms} ms</source>
            <translation>{ms} 毫秒</translation>
        </message>
        <message>
            <source>Most main memory</source>
            <translation>内存最高</translation>
        </message>
        <message>
            <source>Most graphics memory</source>
            <translation>显存最高</translation>
        </message>
        <message>
            <source>{size} GB</source>
            <translation>{size} GB</translation>
        </message>
    </context>
    <context>
        <name>RenderRow</name>
        <message>
            <source>Earlier</source>
            <translation>提前</translation>
        </message>
        <message>
            <source>Later</source>
            <translation>推后</translation>
        </message>
        <message>
            <source>Remove from the list; a finished clip stays, unfinished work is thrown away</source>
            <translation>从列表中移除；已完成的视频保留，未完成的部分会丢弃</translation>
        </message>
    </context>
    <context>
        <name>RunCard</name>
        <message>
            <source>Starting</source>
            <translation>正在启动</translation>
        </message>
        <message>
            <source>Planning</source>
            <translation>正在规划</translation>
        </message>
        <message>
            <source>Listening to the voice</source>
            <translation>正在听声音</translation>
        </message>
        <message>
            <source>Loading the engine</source>
            <translation>正在载入引擎</translation>
        </message>
        <message>
            <source>Rendering</source>
            <translation>正在渲染</translation>
        </message>
        <message>
            <source>Putting the clip together</source>
            <translation>正在合成视频</translation>
        </message>
        <message>
            <source>Measuring the clip</source>
            <translation>正在测量视频</translation>
        </message>
        <message>
            <source>Open on the timeline</source>
            <translation>在时间线上打开</translation>
        </message>
        <message>
            <source>Open the source</source>
            <translation>打开原素材</translation>
        </message>
        <message>
            <source>Mark the face by hand</source>
            <translation>手动标出人脸</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>Log and advice</source>
            <translation>日志和建议</translation>
        </message>
        <message>
            <source>Use these choices again</source>
            <translation>再次使用这些选择</translation>
        </message>
        <message>
            <source>Go on</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Try again</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>{rate} fps</source>
            <translation>{rate} 帧/秒</translation>
        </message>
        <message>
            <source>{ms} ms per picture</source>
            <translation>每帧 {ms} 毫秒</translation>
        </message>
        <message>
            <source>rendered in {time}</source>
            <translation>渲染用时 {time}</translation>
        </message>
        <message>
            <source>the engine's own offset was taken out: {moved}</source>
            <translation>已消除引擎自身的偏移：{moved}</translation>
        </message>
        <message>
            <source>waiting</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>done</source>
            <translation>完成</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>stopped at {percent} %</source>
            <translation>停在 {percent} %</translation>
        </message>
        <message>
            <source>{time} left</source>
            <translation>还剩 {time}</translation>
        </message>
        <message>
            <source>Drawing the test face</source>
            <translation>正在绘制测试人脸</translation>
        </message>
        <message>
            <source>On this machine the sound of this engine comes out like this: {offset}.</source>
            <translation>在这台机器上，此引擎生成的声音：{offset}。</translation>
        </message>
        <message>
            <source>Calibration of {engine}</source>
            <translation>校准 {engine}</translation>
        </message>
    </context>
    <context>
        <name>Settings</name>
        <message>
            <source>Language</source>
            <translation>语言</translation>
        </message>
        <message>
            <source>Takes effect at once.</source>
            <translation>立即生效。</translation>
        </message>
        <message>
            <source>As the system</source>
            <translation>跟随系统</translation>
        </message>
        <message>
            <source>Colours</source>
            <translation>颜色</translation>
        </message>
        <message>
            <source>Dark suits a dim room, light a bright one.</source>
            <translation>深色适合昏暗的房间，浅色适合明亮的房间。</translation>
        </message>
        <message>
            <source>Dark</source>
            <translation>深色</translation>
        </message>
        <message>
            <source>Light</source>
            <translation>浅色</translation>
        </message>
        <message>
            <source>Measure after opening</source>
            <translation>打开后自动测量</translation>
        </message>
        <message>
            <source>Every clip is measured in the background as soon as it is open.</source>
            <translation>每个片段打开后立即在后台测量。</translation>
        </message>
        <message>
            <source>Look at the whole clip</source>
            <translation>查看整个片段</translation>
        </message>
        <message>
            <source>Slower. Otherwise a long clip is sampled until the result is certain.</source>
            <translation>较慢。否则长片段只抽样测量，直到结果确定。</translation>
        </message>
        <message>
            <source>Measure the exported file</source>
            <translation>测量导出的文件</translation>
        </message>
        <message>
            <source>After an export the new file is measured again from its picture.</source>
            <translation>导出后，根据画面再次测量新文件。</translation>
        </message>
        <message>
            <source>Remember corrections</source>
            <translation>记住校正</translation>
        </message>
        <message>
            <source>A clip that is opened again has the correction it had last time.</source>
            <translation>再次打开的片段会带有上次的校正。</translation>
        </message>
        <message>
            <source>Tell when work is done</source>
            <translation>完成时通知</translation>
        </message>
        <message>
            <source>By a message of the system, when this window is not the one in front.</source>
            <translation>当本窗口不在最前面时，用系统消息通知。</translation>
        </message>
    </context>
    <context>
        <name>SettingsPage</name>
        <message>
            <source>Settings</source>
            <translation>设置</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
    </context>
    <context>
        <name>ShortcutsPage</name>
        <message>
            <source>Keyboard shortcuts</source>
            <translation>键盘快捷键</translation>
        </message>
        <message>
            <source>Choose an action, press new keys in the field, and confirm.</source>
            <translation>选择一个操作，在输入框中按下新的按键，然后确认。</translation>
        </message>
        <message>
            <source>New keys</source>
            <translation>新按键</translation>
        </message>
        <message>
            <source>Use these keys</source>
            <translation>使用这些按键</translation>
        </message>
        <message>
            <source>No keys</source>
            <translation>不设按键</translation>
        </message>
        <message>
            <source>All as at first</source>
            <translation>全部恢复默认</translation>
        </message>
        <message>
            <source>These keys belong to “{action}”. Press other keys, or use them here instead.</source>
            <translation>这些按键属于“{action}”。请按别的按键，或改在此处使用。</translation>
        </message>
        <message>
            <source>Use them here instead</source>
            <translation>改在此处使用</translation>
        </message>
        <message>
            <source>Changed.</source>
            <translation>已更改。</translation>
        </message>
        <message>
            <source>Name of an action, or keys</source>
            <translation>操作名称或按键</translation>
        </message>
    </context>
    <context>
        <name>SpeakersPage</name>
        <message>
            <source>My speakers are late</source>
            <translation>我的扬声器有延迟</translation>
        </message>
        <message>
            <source>Bluetooth headphones play up to 300 ms late. Play a clip that is known to be right and move the slider until it looks right here. This changes what you see and hear on this computer, never the clip.</source>
            <translation>蓝牙耳机最多会晚 300 毫秒。播放一个确认同步的片段，移动滑块直到看起来同步。这只改变您在这台电脑上的视听，不会改动片段。</translation>
        </message>
        <message>
            <source>No sound device was found.</source>
            <translation>没有找到声音设备。</translation>
        </message>
        <message>
            <source> ms late</source>
            <translation> 毫秒延迟</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
    </context>
    <context>
        <name>StartPage</name>
        <message>
            <source>Drop a clip here</source>
            <translation>把片段拖到这里</translation>
        </message>
        <message>
            <source>Plosive measures from the picture how far lips and sound are apart, and puts it right without encoding anything again. Everything stays on this computer.</source>
            <translation>Plosive 根据画面测量口型与声音相差多少，并在不重新编码的情况下校正。一切都留在这台电脑上。</translation>
        </message>
        <message>
            <source>Open a clip…</source>
            <translation>打开片段…</translation>
        </message>
        <message>
            <source>Measure a folder…</source>
            <translation>测量文件夹…</translation>
        </message>
        <message>
            <source>Try a sample</source>
            <translation>试用示例</translation>
        </message>
        <message>
            <source>Drawing the sample: {percent} %</source>
            <translation>正在绘制示例：{percent}%</translation>
        </message>
        <message>
            <source>LAST OPENED</source>
            <translation>最近打开</translation>
        </message>
        <message>
            <source>Render a new clip…</source>
            <translation>渲染新视频…</translation>
        </message>
    </context>
    <context>
        <name>StepsEdit</name>
        <message>
            <source>earlier</source>
            <translation>提前</translation>
        </message>
        <message>
            <source>later</source>
            <translation>推后</translation>
        </message>
    </context>
    <context>
        <name>Studio</name>
        <message>
            <source>{start} to {stop}</source>
            <translation>{start} 到 {stop}</translation>
        </message>
        <message>
            <source>Anchor as measured here: sound {offset}</source>
            <translation>按此处测量放置锚点：声音{offset}</translation>
        </message>
        <message>
            <source>{part}: the sound is {offset}. An anchor there moves it.</source>
            <translation>{part}：声音{offset}。已在该处放置锚点进行校正。</translation>
        </message>
        <message>
            <source>Making the sample: a drawn face that speaks, its sound 80 ms late.</source>
            <translation>正在制作示例：一张会说话的画像，声音滞后 80 毫秒。</translation>
        </message>
        <message>
            <source>As measured: {moved}</source>
            <translation>按测量结果：{moved}</translation>
        </message>
        <message>
            <source>Nudged: {moved}</source>
            <translation>微调：{moved}</translation>
        </message>
        <message>
            <source>Correction removed</source>
            <translation>移除校正</translation>
        </message>
        <message>
            <source>As you left it last time: {moved}.</source>
            <translation>与您上次离开时相同：{moved}。</translation>
        </message>
        <message>
            <source>Nudged at the anchor: {moved}</source>
            <translation>在锚点处微调：{moved}</translation>
        </message>
        <message>
            <source>As the file beside the clip says: {moved}.</source>
            <translation>按片段旁的文件：{moved}。</translation>
        </message>
    </context>
    <context>
        <name>SyncPanel</name>
        <message>
            <source>With the correction: {rest}.</source>
            <translation>校正后：{rest}。</translation>
        </message>
        <message>
            <source>Measure again</source>
            <translation>重新测量</translation>
        </message>
        <message>
            <source>CORRECTION</source>
            <translation>校正</translation>
        </message>
        <message>
            <source>WHERE THE LAG COMES FROM</source>
            <translation>延迟来自哪里</translation>
        </message>
        <message>
            <source>Recording</source>
            <translation>录制</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>This computer</source>
            <translation>这台电脑</translation>
        </message>
        <message>
            <source>Camera and microphone, or the edit: it is in every copy.</source>
            <translation>摄像机与麦克风，或剪辑造成：每个副本里都有。</translation>
        </message>
        <message>
            <source>The file itself asks players to start the sound at another time. Players that ignore it differ.</source>
            <translation>文件本身要求播放器在另一个时间开始播放声音。忽略这一点的播放器表现会不同。</translation>
        </message>
        <message>
            <source>Speakers and headphones of this computer are late by themselves. It is never written into a clip.</source>
            <translation>这台电脑的扬声器和耳机本身就有延迟。它永远不会写入片段。</translation>
        </message>
        <message>
            <source>My speakers are late…</source>
            <translation>我的扬声器有延迟…</translation>
        </message>
        <message>
            <source>How far the sound is moved</source>
            <translation>声音移动了多少</translation>
        </message>
        <message>
            <source>Type "83 earlier", "20 later" or "0.1 s later".</source>
            <translation>可输入“提前 83”“推后 20”或“0.1 s 推后”。</translation>
        </message>
        <message>
            <source>earlier</source>
            <translation>提前</translation>
        </message>
        <message>
            <source>later</source>
            <translation>推后</translation>
        </message>
        <message>
            <source>The offset among published tolerances</source>
            <translation>偏移量与公开标准容差的对比</translation>
        </message>
        <message>
            <source>Typed: {moved}</source>
            <translation>键入：{moved}</translation>
        </message>
        <message>
            <source>MEASURING</source>
            <translation>正在测量</translation>
        </message>
        <message numerus="yes">
            <source>Looking at the lips and listening: %n place(s) so far.</source>
            <translation>
                <numerusform>正在看口型、听声音：目前 %n 处。</numerusform>
            </translation>
        </message>
        <message>
            <source>Looking at the lips and listening…</source>
            <translation>正在看口型、听声音…</translation>
        </message>
        <message>
            <source>NOT MEASURED</source>
            <translation>未能测量</translation>
        </message>
        <message>
            <source>NOT MEASURED YET</source>
            <translation>尚未测量</translation>
        </message>
        <message>
            <source>Measure how far lips and sound are apart.</source>
            <translation>测量口型与声音相差多少。</translation>
        </message>
        <message>
            <source>IN SYNC</source>
            <translation>同步</translation>
        </message>
        <message>
            <source>CONSTANT OFFSET</source>
            <translation>固定偏移</translation>
        </message>
        <message>
            <source>DRIFT</source>
            <translation>漂移</translation>
        </message>
        <message>
            <source>JUMPS</source>
            <translation>跳变</translation>
        </message>
        <message>
            <source>JITTER</source>
            <translation>抖动</translation>
        </message>
        <message>
            <source>CANNOT BE MEASURED</source>
            <translation>无法测量</translation>
        </message>
        <message>
            <source>± {ms} ms
{percent} % sure</source>
            <translation>± {ms} 毫秒
把握 {percent} %</translation>
        </message>
        <message>
            <source>0 ms</source>
            <translation>0 毫秒</translation>
        </message>
        <message>
            <source>{ms} ms late</source>
            <translation>晚 {ms} 毫秒</translation>
        </message>
        <message>
            <source>{ms} ms early</source>
            <translation>早 {ms} 毫秒</translation>
        </message>
        <message>
            <source>not measured</source>
            <translation>未测量</translation>
        </message>
        <message>
            <source>sound or picture is missing</source>
            <translation>缺少声音或画面</translation>
        </message>
        <message>
            <source>starts both together</source>
            <translation>声音和画面同时开始</translation>
        </message>
        <message>
            <source>starts the sound {ms} ms after the picture</source>
            <translation>声音比画面晚 {ms} 毫秒开始</translation>
        </message>
        <message>
            <source>starts the sound {ms} ms before the picture</source>
            <translation>声音比画面早 {ms} 毫秒开始</translation>
        </message>
        <message>
            <source>speakers {ms} ms late</source>
            <translation>扬声器晚 {ms} 毫秒</translation>
        </message>
        <message>
            <source>no speaker delay set</source>
            <translation>未设置扬声器延迟</translation>
        </message>
        <message>
            <source>Set…</source>
            <translation>设置…</translation>
        </message>
    </context>
    <context>
        <name>TakeOverPage</name>
        <message>
            <source>Take over settings of LiveAvatar</source>
            <translation>沿用 LiveAvatar 的设置</translation>
        </message>
        <message>
            <source>Paste a command line of the published LiveAvatar program, or the settings of its web page. What each of them becomes here is shown below before anything is changed.</source>
            <translation>粘贴 LiveAvatar 官方程序的命令行，或其网页界面上的设置。下方会先显示每项设置在这里变成什么，之后才会更改。</translation>
        </message>
        <message>
            <source>Command line, or settings of the web page</source>
            <translation>命令行，或网页界面的设置</translation>
        </message>
        <message>
            <source>Use these settings</source>
            <translation>使用这些设置</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>BECOMES</source>
            <translation>将变为</translation>
        </message>
        <message>
            <source>DIFFERENT HERE, OR LEFT OUT</source>
            <translation>与原来不同或未采用</translation>
        </message>
        <message>
            <source>yes</source>
            <translation>是</translation>
        </message>
        <message>
            <source>no</source>
            <translation>否</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>自动</translation>
        </message>
        <message>
            <source>{name}: “{path}” is not on this computer; what you have chosen here stays.</source>
            <translation>{name}：这台电脑上没有“{path}”；保留你在这里的选择。</translation>
        </message>
    </context>
    <context>
        <name>TelemetryPlots</name>
        <message>
            <source>Time per picture</source>
            <translation>每帧用时</translation>
        </message>
        <message>
            <source>Graphics memory</source>
            <translation>显存</translation>
        </message>
        <message>
            <source>Main memory</source>
            <translation>内存</translation>
        </message>
        <message>
            <source>Graphics cards busy</source>
            <translation>显卡占用</translation>
        </message>
        <message>
            <source>{ms} ms</source>
            <translation>{ms} 毫秒</translation>
        </message>
        <message>
            <source>{size} GB</source>
            <translation>{size} GB</translation>
        </message>
    </context>
    <context>
        <name>TimelineView</name>
        <message>
            <source>{time}: sound {offset}</source>
            <translation>{time}：声音{offset}</translation>
        </message>
        <message>
            <source>early</source>
            <translation>偏早</translation>
        </message>
        <message>
            <source>late</source>
            <translation>偏晚</translation>
        </message>
        <message>
            <source>Timeline</source>
            <translation>时间线</translation>
        </message>
        <message>
            <source>Picture</source>
            <translation>画面</translation>
        </message>
        <message>
            <source>Mouth</source>
            <translation>嘴部</translation>
        </message>
        <message>
            <source>how far the lips are open</source>
            <translation>嘴唇张开程度</translation>
        </message>
        <message>
            <source>Sound</source>
            <translation>声音</translation>
        </message>
        <message>
            <source>drag its bar to move it</source>
            <translation>拖动横条可移动</translation>
        </message>
        <message>
            <source>Offset (ms)</source>
            <translation>偏移 （毫秒）</translation>
        </message>
        <message>
            <source>{ms} late</source>
            <translation>晚 {ms}</translation>
        </message>
        <message>
            <source>{ms} early</source>
            <translation>早 {ms}</translation>
        </message>
        <message>
            <source>Sound put back</source>
            <translation>声音放回原处</translation>
        </message>
    </context>
    <context>
        <name>Toast</name>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
    </context>
    <context>
        <name>Transport</name>
        <message>
            <source>Speed</source>
            <translation>速度</translation>
        </message>
        <message>
            <source>Volume</source>
            <translation>音量</translation>
        </message>
    </context>
    <context>
        <name>HandingOnCard</name>
        <message>
            <source>FOR EDITORS, PROGRAMS AND PEOPLE</source>
            <translation>供剪辑软件、程序和人使用</translation>
        </message>
        <message>
            <source>What the correction is written as</source>
            <translation>校正写成什么</translation>
        </message>
        <message>
            <source>Offset beside the clip (.json)</source>
            <translation>片段旁的偏移文件 (.json)</translation>
        </message>
        <message>
            <source>Report, picture (.png)</source>
            <translation>报告，图片 (.png)</translation>
        </message>
        <message>
            <source>Report, page (.pdf)</source>
            <translation>报告，页面 (.pdf)</translation>
        </message>
        <message>
            <source>Write…</source>
            <translation>写出…</translation>
        </message>
        <message>
            <source>Show in folder</source>
            <translation>在文件夹中显示</translation>
        </message>
        <message>
            <source>A cut with the sound moved, exact to the sample, for Resolve, Premiere and others.</source>
            <translation>声音已移动的剪辑，精确到采样点，供 Resolve、Premiere 等使用。</translation>
        </message>
        <message>
            <source>A cut with the sound moved, in exact fractions of a second, for Final Cut Pro.</source>
            <translation>声音已移动的剪辑，以精确的分数秒计，供 Final Cut Pro 使用。</translation>
        </message>
        <message>
            <source>A cut for any editor. It counts whole frames, so the sound moves by whole frames.</source>
            <translation>任何剪辑软件都能用的剪辑。它以整帧计数，因此声音按整帧移动。</translation>
        </message>
        <message>
            <source>A small file that says how the sound is moved. Plosive reads it with the clip.</source>
            <translation>一个小文件，写明声音如何移动。Plosive 打开片段时会一并读取。</translation>
        </message>
        <message>
            <source>Lips and sound before and after, as a picture.</source>
            <translation>校正前后的嘴唇与声音，存为图片。</translation>
        </message>
        <message>
            <source>Lips and sound before and after, as a page to print or to send.</source>
            <translation>校正前后的嘴唇与声音，存为可打印或发送的页面。</translation>
        </message>
        <message>
            <source>Measure the clip first.</source>
            <translation>请先测量片段。</translation>
        </message>
        <message>
            <source>{file} is written.</source>
            <translation>{file} 已写好。</translation>
        </message>
        <message>
            <source>Write to</source>
            <translation>写到</translation>
        </message>
    </context>
    <context>
        <name>QFileDialog</name>
        <message>
            <source>&amp;Look in:</source>
            <translation>查找范围(&amp;L)：</translation>
        </message>
        <message>
            <source>Files of &amp;type:</source>
            <translation>文件类型(&amp;T)：</translation>
        </message>
    </context>
    <context>
        <name>Queue</name>
        <message>
            <source>measuring the copy</source>
            <translation>正在测量副本</translation>
        </message>
        <message>
            <source>writing {file}: {moved}</source>
            <translation>正在写出 {file}：{moved}</translation>
        </message>
        <message>
            <source>measuring</source>
            <translation>正在测量</translation>
        </message>
        <message>
            <source>cancelled</source>
            <translation>已取消</translation>
        </message>
        <message>
            <source>took {seconds} s</source>
            <translation>用时 {seconds} 秒</translation>
        </message>
        <message>
            <source>the copy, decoded: {moved}</source>
            <translation>解码副本所得：{moved}</translation>
        </message>
    </context>
    <context>
        <name>HappeningsPage</name>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>What happened to {file}</source>
            <translation>{file} 的处理记录</translation>
        </message>
    </context>
</TS>
