<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>AnchorsBox</name>
        <message numerus="yes">
            <source>%n anchor(s): from each one on, the sound is moved by its own amount.</source>
            <translation>
                <numerusform>%n anchor: the whole sound is moved by its amount.</numerusform>
                <numerusform>%n anchors: from each one on, the sound is moved by its own amount.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>DoctorPanel</name>
        <message numerus="yes">
            <source>%n finding(s), the worst first.</source>
            <translation>
                <numerusform>%n finding.</numerusform>
                <numerusform>%n findings, the worst first.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>QueuePage</name>
        <message numerus="yes">
            <source>%n clip(s), {measured} measured, {out} out of sync</source>
            <translation>
                <numerusform>%n clip, {measured} measured, {out} out of sync</numerusform>
                <numerusform>%n clips, {measured} measured, {out} out of sync</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>SyncPanel</name>
        <message numerus="yes">
            <source>Looking at the lips and listening: %n place(s) so far.</source>
            <translation>
                <numerusform>Looking at the lips and listening: %n place so far.</numerusform>
                <numerusform>Looking at the lips and listening: %n places so far.</numerusform>
            </translation>
        </message>
    </context>
</TS>
